/** The tables of the bench: the sample library, with reviews and covers that make it large. */
import { libraryRows, LIBRARY_TABLES, type LibrarySize, type Value } from '../demo/library.js';
import { randomForRow } from '../demo/random.js';
import { prose } from './text.js';

const REVIEW = `CREATE TABLE REVIEW (
  review_id INT UNSIGNED NOT NULL AUTO_INCREMENT,
  book_id INT UNSIGNED NOT NULL,
  member_id INT UNSIGNED NOT NULL,
  stars TINYINT UNSIGNED NOT NULL,
  written_at DATETIME NOT NULL,
  headline VARCHAR(120) NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (review_id),
  KEY review_book (book_id, stars),
  KEY review_member (member_id),
  CONSTRAINT review_of_book FOREIGN KEY (book_id) REFERENCES BOOK (book_id),
  CONSTRAINT review_by_member FOREIGN KEY (member_id) REFERENCES MEMBER (member_id)
) ENGINE=InnoDB`;

const COVER = `CREATE TABLE COVER (
  book_id INT UNSIGNED NOT NULL,
  media_type VARCHAR(40) NOT NULL,
  width SMALLINT UNSIGNED NOT NULL,
  height SMALLINT UNSIGNED NOT NULL,
  image MEDIUMBLOB NOT NULL,
  PRIMARY KEY (book_id),
  CONSTRAINT cover_of_book FOREIGN KEY (book_id) REFERENCES BOOK (book_id)
) ENGINE=InnoDB`;

export interface BenchTable {
  readonly name: string;
  readonly create: string;
  readonly columns: readonly string[];
  /** Columns of bytes, which the rows give as Buffers. */
  readonly binaryColumns: readonly string[];
  rows(): Generator<readonly Value[]>;
}

/** For a database of one gigabyte; other sizes are in proportion. */
const ROWS_PER_GIGABYTE = {
  books: 120_000,
  members: 150_000,
  loans: 4_500_000,
  reservations: 400_000,
  reviews: 850_000,
  covers: 18_000,
} as const;

const SEED = 1;
const REVIEW_SEED = 8;
const COVER_SEED = 9;
const IMAGE_BYTES_MAX = 16_000;

/** @param gigabytes of InnoDB data without secondary indexes, roughly */
export function benchTables(gigabytes: number): BenchTable[] {
  const rowsOf = (name: keyof typeof ROWS_PER_GIGABYTE): number =>
    Math.max(100, Math.round(ROWS_PER_GIGABYTE[name] * gigabytes));
  const size: LibrarySize = {
    staff: 200,
    books: rowsOf('books'),
    members: rowsOf('members'),
    loans: rowsOf('loans'),
    reservations: rowsOf('reservations'),
  };
  const library = libraryRows(size, SEED).map((one) => ({
    name: one.table,
    create: LIBRARY_TABLES[one.table],
    columns: one.columns,
    binaryColumns: one.table === 'STAFF' ? ['badge'] : [],
    rows: () => one.rows(),
  }));
  const covers = Math.min(rowsOf('covers'), size.books);
  return [...library, reviews(rowsOf('reviews'), size), coversTable(covers)];
}

function reviews(count: number, size: LibrarySize): BenchTable {
  return {
    name: 'REVIEW',
    create: REVIEW,
    columns: ['review_id', 'book_id', 'member_id', 'stars', 'written_at', 'headline', 'body'],
    binaryColumns: [],
    *rows() {
      for (let id = 1; id <= count; id += 1) {
        const random = randomForRow(SEED, REVIEW_SEED, id);
        yield [
          id,
          1 + random.popular(size.books),
          1 + random.below(size.members),
          random.between(1, 5),
          `20${random.between(19, 25)}-${random.between(10, 12)}-${random.between(10, 28)} 12:${random.between(10, 59)}:00`,
          prose(random, random.between(2, 6)),
          prose(random, random.between(10, 130)),
        ];
      }
    },
  };
}

function coversTable(count: number): BenchTable {
  return {
    name: 'COVER',
    create: COVER,
    columns: ['book_id', 'media_type', 'width', 'height', 'image'],
    binaryColumns: ['image'],
    *rows() {
      for (let id = 1; id <= count; id += 1) {
        const random = randomForRow(SEED, COVER_SEED, id);
        const image = Buffer.allocUnsafe(random.between(1000, IMAGE_BYTES_MAX / 4) * 4);
        for (let at = 0; at < image.length; at += 4) image.writeUInt32LE(random.below(2 ** 32), at);
        yield [id, 'image/jpeg', random.between(200, 600), random.between(300, 900), image];
      }
    },
  };
}
