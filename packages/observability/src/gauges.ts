/** One value of a gauge. */
export interface GaugeValue {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Where health and lag show their numbers: what `createMetrics` makes has it. */
export interface GaugeRegistry {
  gauge(
    name: { readonly otel: string; readonly prometheus: string },
    help: string,
    labels: readonly string[],
    read: () => readonly GaugeValue[] | Promise<readonly GaugeValue[]>,
  ): unknown;
}
