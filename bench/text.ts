/** Prose-like text, fast: words of a Zipf distribution, as in a real language. */
import type { Random } from '../demo/random.js';
import { Random as SeededRandom } from '../demo/random.js';
import { REVIEW_WORDS } from '../demo/vocabulary.js';

const VOCABULARY_SIZE = 12_000;
const SLOTS = 1 << 16;
const SYLLABLES =
  'ba ce di fo gu la me ni or pa que ra si to un ver wa xi yel zo an ter con est'.split(' ');

/** A word for each of the 65536 numbers of 16 bits, frequent words having many. */
const slots = fillSlots();

function fillSlots(): readonly string[] {
  const words = [...REVIEW_WORDS, ...inventedWords(VOCABULARY_SIZE - REVIEW_WORDS.length)];
  const weights = words.map((_, rank) => 1 / (rank + 3));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const filled: string[] = [];
  let reached = 0;
  for (const [rank, word] of words.entries()) {
    reached += weights[rank] ?? 0;
    while (filled.length < Math.round((reached / total) * SLOTS)) filled.push(word);
  }
  return filled;
}

function inventedWords(count: number): string[] {
  const random = new SeededRandom(1);
  const words = new Set<string>();
  while (words.size < count) {
    const syllables = Array.from(
      { length: random.between(2, 4) },
      () => SYLLABLES[random.below(SYLLABLES.length)],
    );
    words.add(syllables.join(''));
  }
  return [...words];
}

/** Sentences of `words` words together; now and then with a number, a quote or a line break. */
export function prose(random: Random, words: number): string {
  let text = '';
  let sentence = 0;
  for (let at = 0; at < words; at += 1) {
    const word = slots[random.below(SLOTS)] ?? 'the';
    if (sentence === 0) text += word.charAt(0).toUpperCase() + word.slice(1);
    else text += ` ${word}`;
    sentence += 1;
    if (sentence < 5 || !random.chance(0.12)) continue;
    text += random.chance(0.05)
      ? ` (${random.below(2100)}).\n`
      : random.chance(0.06)
        ? ', isn’t it? '
        : '. ';
    sentence = 0;
  }
  return `${text}.`;
}
