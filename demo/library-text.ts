/** The texts in the rows of the sample library. */
import type { Random } from './random.js';
import { ADJECTIVES, FIRST_NAMES, NOUNS, SUBJECTS } from './vocabulary.js';

export function title(random: Random): string {
  const noun = random.pick(NOUNS);
  switch (random.below(5)) {
    case 0:
      return `The ${random.pick(ADJECTIVES)} ${noun}`;
    case 1:
      return `${random.pick(SUBJECTS)}: A ${random.pick(ADJECTIVES)} History`;
    case 2:
      return `The ${noun} and the ${random.pick(NOUNS)}`;
    case 3:
      return `${random.pick(FIRST_NAMES)}'s ${noun}`;
    default:
      return `${random.pick(SUBJECTS)} for ${random.pick(['Beginners', 'Everyone', 'the Curious'])}`;
  }
}

export function keywords(random: Random): string {
  const words = Array.from({ length: random.between(1, 4) }, () => random.pick(SUBJECTS));
  return JSON.stringify({
    words,
    age: random.pick([6, 10, 14, 18]),
    large_print: random.chance(0.1),
  });
}

/** A valid ISBN-13 of the number, check digit included. */
export function isbn(number: number): string {
  const digits = `97${number % 2 === 0 ? '8' : '9'}${String(number).padStart(9, '0')}`;
  let sum = 0;
  for (let at = 0; at < digits.length; at += 1) sum += Number(digits[at]) * (at % 2 === 0 ? 1 : 3);
  return `${digits}${(10 - (sum % 10)) % 10}`;
}

export function asciiName(name: string): string {
  const plain = name.normalize('NFKD').replaceAll(/[^A-Za-z]/g, '');
  return plain === '' ? 'reader' : plain.toLowerCase();
}

export function openingHour(random: Random): string {
  const [hour, minute, second] = [random.between(9, 19), random.below(60), random.below(60)];
  return `${twoDigits(hour)}:${twoDigits(minute)}:${twoDigits(second)}`;
}

function twoDigits(value: number): string {
  return value < 10 ? `0${value}` : String(value);
}

const dayTexts = new Map<number, string>();

/** `2026-01-02` of a number of days since 1970-01-01. */
export function dayText(day: number): string {
  let text = dayTexts.get(day);
  if (text === undefined) {
    text = new Date(day * 86_400_000).toISOString().slice(0, 10);
    dayTexts.set(day, text);
  }
  return text;
}
