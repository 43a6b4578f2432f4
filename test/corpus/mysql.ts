import { json } from './mysql/json.js';
import { generated, indexes, modern, options } from './mysql/generated.js';
import { vectors } from './mysql/vector.js';
import { binary, giants } from './shared/binary.js';
import { charsets } from './shared/charsets.js';
import { checks } from './shared/checks.js';
import { engines } from './shared/engines.js';
import { foreignKeys } from './shared/foreign-keys.js';
import { fourByteMembers, fourByteMembersAlike } from './shared/four-byte.js';
import { geometry } from './shared/geometry.js';
import { integers } from './shared/integers.js';
import { autoIncrement, keys, shapes } from './shared/keys.js';
import { names } from './shared/names.js';
import { partitions } from './shared/partitions.js';
import { reals } from './shared/reals.js';
import { routines } from './shared/routines.js';
import { temporal } from './shared/temporal.js';
import { text } from './shared/text.js';
import { events, triggers } from './shared/triggers.js';
import { brokenViews, views } from './shared/views.js';
import type { CorpusTheme } from './step.js';

/** Everything for MySQL; made for 9.7, older 8.x servers skip what they do not know. */
export const mysqlCorpus: readonly CorpusTheme[] = [
  integers,
  reals,
  temporal('838:59:59.000000'),
  text,
  fourByteMembers,
  fourByteMembersAlike,
  charsets(true),
  binary,
  giants,
  geometry(' SRID 4326'),
  json,
  vectors,
  keys,
  autoIncrement,
  shapes,
  generated,
  indexes,
  checks,
  partitions,
  foreignKeys,
  engines,
  options,
  modern,
  names,
  views,
  brokenViews,
  routines,
  triggers,
  events,
];
