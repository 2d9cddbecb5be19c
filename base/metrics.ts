import { Counter, Gauge, Histogram, Registry } from "prom-client";

/** The numbers of one process, in Prometheus' text format. One instance per bridge, so that tests do not share counts. */
export class Metrics {
  readonly #registry = new Registry();

  counter<L extends string>(name: `viaduct_${string}`, help: string, labelNames: readonly L[] = []): Counter<L> {
    return new Counter({ name, help, labelNames: [...labelNames], registers: [this.#registry] });
  }

  gauge<L extends string>(name: `viaduct_${string}`, help: string, labelNames: readonly L[] = []): Gauge<L> {
    return new Gauge({ name, help, labelNames: [...labelNames], registers: [this.#registry] });
  }

  histogram(name: `viaduct_${string}`, help: string, buckets: readonly number[]): Histogram {
    return new Histogram({ name, help, buckets: [...buckets], registers: [this.#registry] });
  }

  /** `value` is asked for each time the numbers are read. */
  measure(name: `viaduct_${string}`, help: string, value: () => number): void {
    const gauge: Gauge = new Gauge({ name, help, registers: [this.#registry], collect: () => gauge.set(value()) });
  }

  async text(): Promise<string> {
    return this.#registry.metrics();
  }

  get contentType(): string {
    return this.#registry.contentType;
  }
}
