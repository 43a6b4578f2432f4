// Whether node_modules holds what package-lock.json asks for.
import { existsSync, readFileSync } from 'node:fs';

const LOCK = 'package-lock.json';
/** npm writes it at the end of each installation: what it has installed. */
const INSTALLED = 'node_modules/.package-lock.json';

/** Compares the versions and checksums of all packages; takes no time, unlike another `npm ci`. */
export function dependenciesAreInstalled() {
  if (!existsSync(INSTALLED)) return false;
  const wanted = packagesOf(LOCK);
  const installed = packagesOf(INSTALLED);
  const isAsWanted = ([path, entry]) =>
    entry.integrity === installed[path]?.integrity && existsSync(path);
  return Object.entries(wanted)
    .filter(([path, entry]) => path !== '' && !isForAnotherMachine(entry))
    .every(isAsWanted);
}

function packagesOf(file) {
  return JSON.parse(readFileSync(file, 'utf8')).packages;
}

/** npm leaves out what is for another system or processor, and what it may leave out it may. */
function isForAnotherMachine(entry) {
  return entry.optional === true || entry.devOptional === true;
}
