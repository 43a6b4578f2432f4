import { packages } from './mariadb/packages.js';
import { mariadbEngines, mariadbTypes } from './mariadb/types.js';
import { sequences, versioned } from './mariadb/versioned.js';
import { binary, giants } from './shared/binary.js';
import { charsets } from './shared/charsets.js';
import { checks } from './shared/checks.js';
import { engines } from './shared/engines.js';
import { foreignKeys } from './shared/foreign-keys.js';
import { fourByteMembers } from './shared/four-byte.js';
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

/** Everything for MariaDB; made for 10.11. */
export const mariadbCorpus: readonly CorpusTheme[] = [
  integers,
  reals,
  temporal('838:59:59.999999'),
  text,
  fourByteMembers,
  charsets(false),
  binary,
  giants,
  geometry(''),
  mariadbTypes,
  mariadbEngines,
  versioned,
  sequences,
  packages,
  keys,
  autoIncrement,
  shapes,
  checks,
  partitions,
  foreignKeys,
  engines,
  names,
  views,
  brokenViews,
  routines,
  triggers,
  events,
];
