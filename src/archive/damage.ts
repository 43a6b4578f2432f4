/** One thing that is wrong with an archive. */
export interface Damage {
  readonly message: string;
  /** Where in the file, as far as it is known. */
  readonly offset?: number;
  /** Number of the member. */
  readonly member?: number;
  readonly table?: string;
}
