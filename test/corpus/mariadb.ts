import { binary, giants } from './shared/binary.js';
import { charsets } from './shared/charsets.js';
import { geometry } from './shared/geometry.js';
import { integers } from './shared/integers.js';
import { autoIncrement, keys, shapes } from './shared/keys.js';
import { reals } from './shared/reals.js';
import { temporal } from './shared/temporal.js';
import { text } from './shared/text.js';

import type { CorpusTheme } from './step.js';

export const mariadbCorpus: readonly CorpusTheme[] = [
  integers,
  reals,
  temporal('838:59:59.999999'),
  text,
  charsets(false),
  binary,
  giants,
  geometry(''),
  keys,
  autoIncrement,
  shapes,
];
