import { describe, expect, it } from 'vitest';
import { parseMemberList, renameMembers } from '../../src/sql/column-members.js';

describe('renameMembers', () => {
  it('renames the members of these numbers and no other', () => {
    const renamed = renameMembers(
      "enum('?','it''s','x?y')",
      new Map([
        [1, "😀'"],
        [3, 'x🎉y'],
      ]),
    );
    expect(renamed).toBe("enum('😀''','it''s','x🎉y')");
    expect(parseMemberList(renamed)).toEqual(["😀'", "it's", 'x🎉y']);
  });

  it('leaves alone what is no list of members', () => {
    expect(renameMembers('varchar(20)', new Map([[1, 'a']]))).toBe('varchar(20)');
  });
});
