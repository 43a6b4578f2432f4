/** What a call of the kernel ended with; the same numbers as in `assembly/status.ts`. */
export const STATUS = {
  ok: 0,
  needInput: 1,
  memberReady: 2,
  slowRow: 3,
  end: 4,
  serverError: 5,
  badSequence: 6,
  badPacket: 7,
  badNumber: 8,
  rowTooLarge: 9,
  outOfMemory: 10,
  notCanonical: 11,
  hugeRow: 12,
} as const;
