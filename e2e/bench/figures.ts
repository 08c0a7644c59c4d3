/** What a benchmark measured, by stable names: figures are compared between versions. */
export type Figures = Record<string, number>

export interface Benchmark {
  /** `quick`: shorter and rougher, to see that it works. */
  run(options: { quick: boolean }): Promise<Figures>
  /** What we aim at, in words, by figure. */
  readonly aims: Readonly<Record<string, string>>
}
