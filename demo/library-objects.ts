/** The sample library's views, triggers and routines, and its event; created after the rows. */

const OPEN_LOAN = `CREATE VIEW OPEN_LOAN AS
  SELECT LOAN.loan_id, BOOK.title, MEMBER.full_name, MEMBER.email, LOAN.due_on
  FROM LOAN
  JOIN BOOK ON BOOK.book_id = LOAN.book_id
  JOIN MEMBER ON MEMBER.member_id = LOAN.member_id
  WHERE LOAN.is_open = 1`;

const LOAN_LENDS = `CREATE TRIGGER LOAN_LENDS AFTER INSERT ON LOAN FOR EACH ROW
  UPDATE BOOK SET copies_available = copies_available - (NEW.returned_at IS NULL)
  WHERE book_id = NEW.book_id`;

const LOAN_RETURNS = `CREATE TRIGGER LOAN_RETURNS AFTER UPDATE ON LOAN FOR EACH ROW
BEGIN
  IF OLD.returned_at IS NULL AND NEW.returned_at IS NOT NULL THEN
    UPDATE BOOK SET copies_available = copies_available + 1 WHERE book_id = NEW.book_id;
  END IF;
END`;

const FINE_HAS_A_LIMIT = `CREATE TRIGGER FINE_HAS_A_LIMIT BEFORE INSERT ON FINE FOR EACH ROW
  SET NEW.amount = LEAST(NEW.amount, 40.00)`;

const LATE_FEE = `CREATE FUNCTION LATE_FEE(due_on DATE, returned_at DATETIME) RETURNS DECIMAL(8,2)
  DETERMINISTIC NO SQL
  COMMENT 'a quarter for each day, at most 20'
  RETURN LEAST(GREATEST(DATEDIFF(returned_at, due_on), 0) * 0.25, 20.00)`;

const RETURN_BOOK = `CREATE PROCEDURE RETURN_BOOK(IN the_loan INT UNSIGNED, IN at_time DATETIME)
  MODIFIES SQL DATA
BEGIN
  DECLARE fee DECIMAL(8,2) DEFAULT 0;
  UPDATE LOAN SET returned_at = at_time WHERE loan_id = the_loan AND returned_at IS NULL;
  SELECT LATE_FEE(due_on, returned_at) INTO fee FROM LOAN WHERE loan_id = the_loan;
  IF fee > 0 THEN
    INSERT INTO FINE (loan_id, member_id, reason, amount, issued_on)
      SELECT loan_id, member_id, 'LATE', fee, DATE(at_time) FROM LOAN WHERE loan_id = the_loan;
  END IF;
END`;

const EXPIRE_RESERVATIONS = `CREATE EVENT EXPIRE_RESERVATIONS
  ON SCHEDULE EVERY 1 DAY STARTS '2026-01-05 04:00:00'
  ON COMPLETION PRESERVE
  DO UPDATE RESERVATION SET status = 'EXPIRED' WHERE status = 'READY' AND expires_on < CURRENT_DATE`;

/** In an order that loads. */
export const LIBRARY_OBJECTS = [
  OPEN_LOAN,
  LATE_FEE,
  RETURN_BOOK,
  LOAN_LENDS,
  LOAN_RETURNS,
  FINE_HAS_A_LIMIT,
  EXPIRE_RESERVATIONS,
] as const;
