import { binary, giants } from './shared/binary.js';
import { charsets } from './shared/charsets.js';
import { geometry } from './shared/geometry.js';
import { integers } from './shared/integers.js';
import { autoIncrement, keys, shapes } from './shared/keys.js';
import { reals } from './shared/reals.js';
import { temporal } from './shared/temporal.js';
import { text } from './shared/text.js';
import { json, jsonOpaque } from './mysql/json.js';
import { vectors } from './mysql/vector.js';
import type { CorpusTheme } from './step.js';

export const mysqlCorpus: readonly CorpusTheme[] = [
  integers,
  reals,
  temporal('838:59:59.000000'),
  text,
  charsets(true),
  binary,
  giants,
  geometry(' SRID 4326'),
  keys,
  autoIncrement,
  shapes,
  json,
  jsonOpaque,
  vectors,
];
