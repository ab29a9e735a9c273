/** What people write down about a consumer, by the name that calls carry. */
export interface ConsumerNote {
  consumer: string;
  /** Empty when no note was given. */
  displayName: string;
  group: string;
  contact: string;
  changedMs: number;
}

/** Keeps notes on consumers. Every method names the project. */
export interface ConsumerStore {
  /**
   * Adds the notes or replaces those of the same consumers: all of them, or none.
   * @throws AppError `conflict` past `limits.consumerNotes`; `not_found` for a project that does not exist
   */
  put(project: string, notes: readonly ConsumerNote[]): Promise<void>;
  /** @throws AppError `not_found` */
  remove(project: string, consumer: string): Promise<void>;
  close(): Promise<void>;
}
