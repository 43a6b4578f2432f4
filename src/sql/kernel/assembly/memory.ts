// The linear memory is laid out by hand, region behind region, and grown to exactly what is needed.

/** Vector loads and stores may touch this many bytes behind the end of what they are about. */
export const SLACK: usize = 64;

const PAGE_BYTES: u64 = 65536;

/** Makes the addresses below `end`, and the slack behind it, usable. False: there is no memory. */
export function ensureMemory(end: u64): bool {
  const pages = (end + <u64>SLACK + PAGE_BYTES - 1) / PAGE_BYTES;
  if (pages > 65536) return false;
  const have = <u64>memory.size();
  return pages <= have || memory.grow(<i32>(pages - have)) >= 0;
}

export function align(address: usize): usize {
  return (address + 15) & ~15;
}
