import { theme } from '../step.js';

/**
 * The server shows each character beyond the basic plane as `?` in the members of ENUM and SET, in
 * SHOW CREATE and in information_schema alike; two such members even look like the same one.
 */
export const fourByteMembers = theme('four-byte-members', [
  "CREATE TABLE four_byte_members (id INT PRIMARY KEY, e ENUM('😀', 'x😀y', 'plain'), s SET('😀', 'q'), w ENUM('a', '😀') CHARACTER SET utf16)",
  "INSERT INTO four_byte_members VALUES (1, '😀', '😀,q', '😀'), (2, 'x😀y', '', 'a'), (3, 'plain', NULL, NULL)",
  "CREATE TABLE four_byte_members_unused (id INT PRIMARY KEY, e ENUM('plain', '😀'), v VARCHAR(9) NOT NULL DEFAULT '😀?')",
  "INSERT INTO four_byte_members_unused VALUES (1, 'plain', 'why?')",
]);

/** MySQL lets two such members stand side by side; MariaDB calls them duplicates. */
export const fourByteMembersAlike = theme('four-byte-members-alike', [
  "CREATE TABLE four_byte_members_alike (id INT PRIMARY KEY, e ENUM('😀', '🎉', '?'))",
  'INSERT INTO four_byte_members_alike VALUES (1, 1), (2, 2), (3, 3)',
]);
