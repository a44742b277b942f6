/** Work that was begun: a failure of any is told where it is waited for, and all have ended before their beginner does. */
export class UnderWay {
  readonly #all = new Set<Promise<unknown>>();

  add<T>(work: Promise<T>): Promise<T> {
    this.#all.add(work);
    const ended = (): unknown => this.#all.delete(work);
    work.then(ended, ended);
    return work;
  }

  /** When all of it has ended, that which it began, too. */
  async settled(): Promise<void> {
    while (this.#all.size > 0) await Promise.allSettled(this.#all);
  }
}
