/** A day at the sample library: what happens between the nightly full backup and the accident. */

/** Each is one transaction, or one change of a definition. They are the same in every demo. */
export const LIBRARY_DAY: readonly string[] = [
  `INSERT INTO MEMBER (card_number, first_name, last_name, email, city, joined_on, interests, note)
    VALUES ('C999000001', 'Zoë', 'O''Neill', 'zoe@example.org', 'Kraków', '2026-01-02',
      'ART,TRAVEL', '🙂 asked for a "large print"; shelf\\\\reader')`,
  'SET @books = (SELECT MIN(book_id) FROM BOOK WHERE copies_available > 1)',
  `INSERT INTO LOAN (book_id, member_id, staff_id, loaned_at, due_on)
    VALUES (@books, 8001, 1, '2026-01-02 10:15:00', '2026-01-23'),
      (@books, 17, 1, '2026-01-02 10:20:00', '2026-01-23')`,
  "CALL RETURN_BOOK((SELECT MIN(loan_id) FROM LOAN WHERE is_open = 1), '2026-01-02 11:40:00')",
  "UPDATE FINE SET paid_at = '2026-01-02 12:05:00' WHERE paid_at IS NULL ORDER BY fine_id LIMIT 200",
  "UPDATE BOOK SET weight_kg = 0.1, keywords = JSON_SET(COALESCE(keywords, '{}'), '$.checked', TRUE) WHERE book_id <= 500",
  "DELETE FROM RESERVATION WHERE status = 'EXPIRED' ORDER BY reservation_id LIMIT 100",
  'ALTER TABLE BOOK ADD COLUMN large_print TINYINT NOT NULL DEFAULT 0 AFTER copies',
  'UPDATE BOOK SET large_print = 1 WHERE book_id MOD 90 = 0',
];
