/** The tables of the sample library, parents first. They work on MySQL 8 and 9 and on MariaDB. */

const STAFF = `CREATE TABLE STAFF (
  staff_id SMALLINT UNSIGNED NOT NULL AUTO_INCREMENT,
  name VARCHAR(120) NOT NULL,
  role ENUM('MANAGER', 'LIBRARIAN', 'ASSISTANT', 'TECHNICIAN') NOT NULL,
  email VARCHAR(160) NOT NULL,
  hired_on DATE NOT NULL,
  salary DECIMAL(9,2) NOT NULL,
  badge BINARY(8) NOT NULL COMMENT 'what the door reader sees',
  reports_to SMALLINT UNSIGNED NULL,
  PRIMARY KEY (staff_id),
  UNIQUE KEY staff_email (email),
  KEY staff_reports_to (reports_to),
  CONSTRAINT staff_has_a_manager FOREIGN KEY (reports_to) REFERENCES STAFF (staff_id)
) ENGINE=InnoDB`;

const BOOK = `CREATE TABLE BOOK (
  book_id INT UNSIGNED NOT NULL AUTO_INCREMENT,
  isbn CHAR(13) NOT NULL,
  title VARCHAR(200) NOT NULL,
  author VARCHAR(120) NOT NULL,
  genre ENUM('FICTION', 'HISTORY', 'SCIENCE', 'CHILDREN', 'ART', 'TRAVEL') NOT NULL,
  published YEAR NOT NULL,
  shelf VARCHAR(12) NOT NULL,
  copies SMALLINT UNSIGNED NOT NULL,
  copies_available SMALLINT UNSIGNED NOT NULL,
  price DECIMAL(8,2) NOT NULL,
  weight_kg FLOAT NULL,
  keywords JSON NULL,
  added_on DATE NOT NULL,
  PRIMARY KEY (book_id),
  UNIQUE KEY book_isbn (isbn),
  KEY book_author (author),
  KEY book_genre (genre, published),
  CONSTRAINT book_copies CHECK (copies_available <= copies)
) ENGINE=InnoDB`;

const MEMBER = `CREATE TABLE MEMBER (
  member_id INT UNSIGNED NOT NULL AUTO_INCREMENT,
  card_number CHAR(10) NOT NULL,
  first_name VARCHAR(60) NOT NULL,
  last_name VARCHAR(60) NOT NULL,
  full_name VARCHAR(121) GENERATED ALWAYS AS (CONCAT(first_name, ' ', last_name)) VIRTUAL,
  email VARCHAR(160) NULL,
  phone VARCHAR(24) NULL,
  city VARCHAR(60) NOT NULL,
  joined_on DATE NOT NULL,
  status ENUM('ACTIVE', 'SUSPENDED', 'CLOSED') NOT NULL DEFAULT 'ACTIVE',
  interests SET('FICTION', 'HISTORY', 'SCIENCE', 'CHILDREN', 'ART', 'TRAVEL') NOT NULL,
  note TEXT NULL,
  PRIMARY KEY (member_id),
  UNIQUE KEY member_card (card_number),
  KEY member_name (last_name, first_name)
) ENGINE=InnoDB`;

const LOAN = `CREATE TABLE LOAN (
  loan_id INT UNSIGNED NOT NULL AUTO_INCREMENT,
  book_id INT UNSIGNED NOT NULL,
  member_id INT UNSIGNED NOT NULL,
  staff_id SMALLINT UNSIGNED NOT NULL,
  loaned_at DATETIME NOT NULL,
  due_on DATE NOT NULL,
  returned_at DATETIME NULL,
  renewals TINYINT UNSIGNED NOT NULL DEFAULT 0,
  is_open TINYINT GENERATED ALWAYS AS (returned_at IS NULL) STORED,
  PRIMARY KEY (loan_id),
  KEY loan_book (book_id, loaned_at),
  KEY loan_member (member_id, returned_at),
  KEY loan_staff (staff_id),
  KEY loan_due (is_open, due_on),
  CONSTRAINT loan_of_book FOREIGN KEY (book_id) REFERENCES BOOK (book_id),
  CONSTRAINT loan_to_member FOREIGN KEY (member_id) REFERENCES MEMBER (member_id),
  CONSTRAINT loan_by_staff FOREIGN KEY (staff_id) REFERENCES STAFF (staff_id)
) ENGINE=InnoDB`;

const RESERVATION = `CREATE TABLE RESERVATION (
  reservation_id INT UNSIGNED NOT NULL AUTO_INCREMENT,
  book_id INT UNSIGNED NOT NULL,
  member_id INT UNSIGNED NOT NULL,
  reserved_at DATETIME(3) NOT NULL,
  status ENUM('WAITING', 'READY', 'COLLECTED', 'EXPIRED', 'CANCELLED') NOT NULL DEFAULT 'WAITING',
  expires_on DATE NULL,
  PRIMARY KEY (reservation_id),
  KEY reservation_queue (book_id, status, reserved_at),
  KEY reservation_member (member_id),
  CONSTRAINT reservation_of_book FOREIGN KEY (book_id) REFERENCES BOOK (book_id),
  CONSTRAINT reservation_by_member FOREIGN KEY (member_id) REFERENCES MEMBER (member_id)
) ENGINE=InnoDB`;

const FINE = `CREATE TABLE FINE (
  fine_id INT UNSIGNED NOT NULL AUTO_INCREMENT,
  loan_id INT UNSIGNED NOT NULL,
  member_id INT UNSIGNED NOT NULL,
  reason ENUM('LATE', 'DAMAGED', 'LOST') NOT NULL,
  amount DECIMAL(8,2) NOT NULL,
  issued_on DATE NOT NULL,
  paid_at DATETIME NULL,
  PRIMARY KEY (fine_id),
  UNIQUE KEY fine_loan (loan_id, reason),
  KEY fine_unpaid (member_id, paid_at),
  CONSTRAINT fine_for_loan FOREIGN KEY (loan_id) REFERENCES LOAN (loan_id),
  CONSTRAINT fine_of_member FOREIGN KEY (member_id) REFERENCES MEMBER (member_id),
  CONSTRAINT fine_is_positive CHECK (amount > 0)
) ENGINE=InnoDB`;

export const LIBRARY_TABLES = { STAFF, BOOK, MEMBER, LOAN, RESERVATION, FINE } as const;

export type LibraryTableName = keyof typeof LIBRARY_TABLES;
