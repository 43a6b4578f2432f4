/** A value that must not be shown: passwords and keys. */
import { inspect } from 'node:util';

const SHOWN = '[secret]';

/**
 * Holds a secret so that printing, joining, logging or JSON-encoding it by accident shows
 * `[secret]`. Only `reveal()` gives the text; call it where the text is handed to its user.
 */
export class Secret {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  reveal(): string {
    return this.#text;
  }

  get isEmpty(): boolean {
    return this.#text === '';
  }

  toString(): string {
    return SHOWN;
  }

  toJSON(): string {
    return SHOWN;
  }

  [inspect.custom](): string {
    return SHOWN;
  }
}
