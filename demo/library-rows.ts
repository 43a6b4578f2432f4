/** The rows of the sample library: made from a seed, and true to each other. */
import { asciiName, dayText, isbn, keywords, openingHour, title } from './library-text.js';
import type { LibraryTableName } from './library-tables.js';
import { randomForRow } from './random.js';
import { CITIES, FIRST_NAMES, LAST_NAMES, NOTES } from './vocabulary.js';

export type Value = string | number | null | Buffer;

/** One table's rows, in the order of its primary key. */
export interface LibraryRows {
  readonly table: LibraryTableName;
  readonly columns: readonly string[];
  /** Always the same rows, however often it is called. */
  rows(): Generator<readonly Value[]>;
}

/** How many rows there are; that of FINE follows from the loans that came back late. */
export interface LibrarySize {
  readonly staff: number;
  readonly books: number;
  readonly members: number;
  readonly loans: number;
  readonly reservations: number;
}

/** About 101,000 rows. */
export const DEMO_SIZE: LibrarySize = {
  staff: 45,
  books: 12_000,
  members: 8_000,
  loans: 62_000,
  reservations: 9_000,
};

const SEED_OF = { STAFF: 1, BOOK: 2, MEMBER: 3, LOAN: 4, RESERVATION: 5, FINE: 6, LATE: 7 };
const GENRES = ['FICTION', 'HISTORY', 'SCIENCE', 'CHILDREN', 'ART', 'TRAVEL'] as const;
const ROLES = ['LIBRARIAN', 'LIBRARIAN', 'ASSISTANT', 'ASSISTANT', 'TECHNICIAN'] as const;
const OVER = ['COLLECTED', 'COLLECTED', 'COLLECTED', 'EXPIRED', 'CANCELLED'] as const;

/** Days since 1970-01-01. The library opens, and the data is as of the evening of the last day. */
const FIRST_DAY = Date.UTC(2019, 0, 7) / 86_400_000;
const LAST_DAY = Date.UTC(2026, 0, 2) / 86_400_000;
const LOAN_DAYS = 28;
/** Loans out and reservations waiting belong to the last days. */
const RECENT_DAYS = 40;

export function libraryRows(size: LibrarySize, seed: number): LibraryRows[] {
  return [
    { table: 'STAFF', columns: STAFF_COLUMNS, rows: () => staffRows(size, seed) },
    { table: 'BOOK', columns: BOOK_COLUMNS, rows: () => bookRows(size, seed) },
    { table: 'MEMBER', columns: MEMBER_COLUMNS, rows: () => memberRows(size, seed) },
    { table: 'LOAN', columns: LOAN_COLUMNS, rows: () => loanRows(size, seed) },
    { table: 'RESERVATION', columns: RESERVATION_COLUMNS, rows: () => reservationRows(size, seed) },
    { table: 'FINE', columns: FINE_COLUMNS, rows: () => fineRows(size, seed) },
  ];
}

const STAFF_COLUMNS = [
  'staff_id',
  'name',
  'role',
  'email',
  'hired_on',
  'salary',
  'badge',
  'reports_to',
];

function* staffRows(size: LibrarySize, seed: number): Generator<readonly Value[]> {
  const managers = Math.max(1, Math.floor(size.staff / 9));
  for (let id = 1; id <= size.staff; id += 1) {
    const random = randomForRow(seed, SEED_OF.STAFF, id);
    const [first, last] = [random.pick(FIRST_NAMES), random.pick(LAST_NAMES)];
    const isManager = id <= managers;
    const badge = Buffer.alloc(8);
    for (let at = 0; at < badge.length; at += 1) badge[at] = random.below(256);
    yield [
      id,
      `${first} ${last}`,
      isManager ? 'MANAGER' : random.pick(ROLES),
      `${asciiName(last)}.${id}@library.example`,
      dayText(random.between(FIRST_DAY - 3000, LAST_DAY - 100)),
      `${random.between(26, isManager ? 62 : 41)}${String(random.below(1000)).padStart(3, '0')}.50`,
      badge,
      id === 1 ? null : isManager ? 1 : 1 + random.below(managers),
    ];
  }
}

const BOOK_COLUMNS = [
  ...['book_id', 'isbn', 'title', 'author', 'genre', 'published', 'shelf', 'copies'],
  ...['copies_available', 'price', 'weight_kg', 'keywords', 'added_on'],
];

function* bookRows(size: LibrarySize, seed: number): Generator<readonly Value[]> {
  const lent = lentBooks(size);
  for (let id = 1; id <= size.books; id += 1) {
    const random = randomForRow(seed, SEED_OF.BOOK, id);
    const genre = random.pick(GENRES);
    const copies = random.between(1, 6);
    yield [
      id,
      isbn(id),
      title(random),
      `${random.pick(FIRST_NAMES)} ${random.pick(LAST_NAMES)}`,
      genre,
      random.between(1925, 2025),
      `${genre.slice(0, 2)}-${random.between(1, 40)}-${random.between(1, 9)}`,
      copies,
      copies - (lent[id] ?? 0),
      `${random.between(4, 79)}.${random.pick(['00', '50', '90', '95', '99'])}`,
      random.chance(0.1) ? null : random.between(90, 2400) / 1000,
      random.chance(0.3) ? null : keywords(random),
      dayText(random.between(FIRST_DAY, LAST_DAY)),
    ];
  }
}

const MEMBER_COLUMNS = [
  ...['member_id', 'card_number', 'first_name', 'last_name', 'email', 'phone', 'city'],
  ...['joined_on', 'status', 'interests', 'note'],
];

function* memberRows(size: LibrarySize, seed: number): Generator<readonly Value[]> {
  for (let id = 1; id <= size.members; id += 1) {
    const random = randomForRow(seed, SEED_OF.MEMBER, id);
    const [first, last] = [random.pick(FIRST_NAMES), random.pick(LAST_NAMES)];
    yield [
      id,
      `LM${String(id).padStart(8, '0')}`,
      first,
      last,
      random.chance(0.06) ? null : `${asciiName(first)}.${asciiName(last)}.${id}@mail.example`,
      random.chance(0.4)
        ? null
        : `+${random.between(30, 49)} ${random.between(10_000_000, 99_999_999)}`,
      random.pick(CITIES),
      dayText(random.between(FIRST_DAY, LAST_DAY - RECENT_DAYS)),
      random.chance(0.95) ? 'ACTIVE' : random.pick(['SUSPENDED', 'CLOSED']),
      GENRES.filter(() => random.chance(0.35)).join(),
      random.chance(0.93) ? null : random.pick(NOTES),
    ];
  }
}

const LOAN_COLUMNS = [
  ...['loan_id', 'book_id', 'member_id', 'staff_id', 'loaned_at', 'due_on'],
  ...['returned_at', 'renewals'],
];

function* loanRows(size: LibrarySize, seed: number): Generator<readonly Value[]> {
  const firstOpen = size.loans - openLoans(size) + 1;
  for (let id = 1; id <= size.loans; id += 1) {
    const random = randomForRow(seed, SEED_OF.LOAN, id);
    const isOpen = id >= firstOpen;
    const day = isOpen ? LAST_DAY - random.below(RECENT_DAYS) : loanDay(size, id);
    const due = day + LOAN_DAYS;
    const late = lateDays(size, seed, id);
    const back = late > 0 ? due + late : day + random.below(LOAN_DAYS);
    yield [
      id,
      isOpen ? openBook(size, id - firstOpen) : 1 + random.popular(size.books),
      1 + random.popular(size.members),
      1 + random.below(size.staff),
      `${dayText(day)} ${openingHour(random)}`,
      dayText(due),
      isOpen ? null : `${dayText(back)} ${openingHour(random)}`,
      random.chance(0.8) ? 0 : random.between(1, 3),
    ];
  }
}

const RESERVATION_COLUMNS = [
  ...['reservation_id', 'book_id', 'member_id', 'reserved_at', 'status', 'expires_on'],
];

function* reservationRows(size: LibrarySize, seed: number): Generator<readonly Value[]> {
  for (let id = 1; id <= size.reservations; id += 1) {
    const random = randomForRow(seed, SEED_OF.RESERVATION, id);
    const progress = id / size.reservations;
    const day = Math.floor(FIRST_DAY + (LAST_DAY - FIRST_DAY) * progress);
    const isWaiting = progress > 0.97;
    const milliseconds = String(random.below(1000)).padStart(3, '0');
    yield [
      id,
      1 + random.popular(size.books),
      1 + random.popular(size.members),
      `${dayText(day)} ${openingHour(random)}.${milliseconds}`,
      isWaiting ? random.pick(['WAITING', 'WAITING', 'READY']) : random.pick(OVER),
      isWaiting ? null : dayText(day + 14),
    ];
  }
}

const FINE_COLUMNS = [
  'fine_id',
  'loan_id',
  'member_id',
  'reason',
  'amount',
  'issued_on',
  'paid_at',
];

function* fineRows(size: LibrarySize, seed: number): Generator<readonly Value[]> {
  let id = 0;
  for (let loan = 1; loan <= size.loans - openLoans(size); loan += 1) {
    const late = lateDays(size, seed, loan);
    if (late === 0) continue;
    id += 1;
    const random = randomForRow(seed, SEED_OF.FINE, loan);
    const day = loanDay(size, loan) + LOAN_DAYS + late;
    const isLate = random.chance(0.94);
    const amount = isLate ? Math.min(late * 25, 2000) : random.between(500, 4000);
    yield [
      id,
      loan,
      1 + random.popular(size.members),
      isLate ? 'LATE' : random.pick(['DAMAGED', 'LOST']),
      `${Math.floor(amount / 100)}.${String(amount % 100).padStart(2, '0')}`,
      dayText(day),
      random.chance(0.2) ? null : `${dayText(day + random.below(60))} ${openingHour(random)}`,
    ];
  }
}

/** Days that a loan came back late, 0 for most; known without making the loan's row. */
function lateDays(size: LibrarySize, seed: number, loan: number): number {
  const random = randomForRow(seed, SEED_OF.LATE, loan);
  if (!random.chance(0.17)) return 0;
  const late = 1 + Math.floor(random.next() ** 3 * 90);
  return Math.min(late, Math.max(0, LAST_DAY - loanDay(size, loan) - LOAN_DAYS));
}

function loanDay(size: LibrarySize, loan: number): number {
  const days = LAST_DAY - RECENT_DAYS - FIRST_DAY;
  return FIRST_DAY + Math.floor((days * loan) / size.loans);
}

/** At most a third of the books are out, and of each of these one copy. */
function openLoans(size: LibrarySize): number {
  return Math.min(Math.floor(size.loans * 0.04), Math.floor(size.books / 3));
}

/** The book of an open loan: a step that has no factor in common with the count meets each once. */
function openBook(size: LibrarySize, openLoan: number): number {
  const step = size.books % 7919 === 0 ? 7907 : 7919;
  return 1 + ((openLoan * step) % size.books);
}

function lentBooks(size: LibrarySize): Uint8Array {
  const lent = new Uint8Array(size.books + 1);
  for (let loan = 0; loan < openLoans(size); loan += 1) lent[openBook(size, loan)] = 1;
  return lent;
}
