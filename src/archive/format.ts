/** Numbers and texts that format 1 fixes for ever; docs/FORMAT.md explains them. */

/** The archive format that this version writes, and the newest that it reads. */
export const ARCHIVE_FORMAT = 1;

/**
 * The header member's SQL starts with this text, and so does the whole file once it is inflated.
 * It tells an archive from a foreign dump even where the gzip headers are damaged.
 */
export const SIGNATURE_TEXT = '-- Reshelve archive';

/** The first line of every archive of this format, line break included. */
export const SIGNATURE_LINE = `${SIGNATURE_TEXT}, format ${ARCHIVE_FORMAT}\n`;

/** gzip counts a member's SQL modulo 2^32; here the count must be exact. Bytes. */
export const MEMBER_SQL_BYTES_MAX = 0xffff_ffff;

/** A member's stored length is a 32-bit field of its header. Bytes. */
export const MEMBER_STORED_BYTES_MAX = 0xffff_ffff;

/** The most SQL bytes that an index may inflate to: some four million members. */
export const INDEX_SQL_BYTES_MAX = 1024 ** 3;
