// What a call of the kernel ended with. `../status.ts` names the same numbers for TypeScript.

export const OK: u32 = 0;
/** All input is used up; more is needed. */
export const NEED_INPUT: u32 = 1;
/** A member is complete and must be taken before the kernel goes on. */
export const MEMBER_READY: u32 = 2;
/** The current row holds a JSON number that needs a patch, and so the slow, typed way. */
export const SLOW_ROW: u32 = 3;
/** The packet that ends the result set was read. */
export const END: u32 = 4;
/** The server's error packet was read. */
export const SERVER_ERROR: u32 = 5;
/** A packet is out of sequence. */
export const BAD_SEQUENCE: u32 = 6;
/** A packet is not a row of these columns, nor an end. */
export const BAD_PACKET: u32 = 7;
/** A number holds other characters than numbers do. */
export const BAD_NUMBER: u32 = 8;
/** A row whose statement no server accepts. */
export const ROW_TOO_LARGE: u32 = 9;
export const OUT_OF_MEMORY: u32 = 10;
/** SQL that is not byte for byte what the encoder writes. */
export const NOT_CANONICAL: u32 = 11;
/** A huge row comes next, which this instance has not been allowed to take. */
export const HUGE_ROW: u32 = 12;
