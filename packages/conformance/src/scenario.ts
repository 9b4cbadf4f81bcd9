/** What every harness says of the backend under test. */
export interface Harness {
  /** Name of the tests' group. */
  readonly name: string;
  /**
   * Everything that a scenario waits for must have happened this long after its start; one that starts processes gets it once for each
   * of them. Milliseconds. @default 10_000
   */
  readonly deadlineMs?: number;
  /**
   * How long a scenario watches that something does not happen, where no later message can prove it. It should be longer than the
   * backend takes to deliver. Milliseconds. @default 200
   */
  readonly quietMs?: number;
  /** Scenarios that the backend cannot pass, by name, with the reason; shown as skipped. @default none */
  readonly skip?: Readonly<Record<string, string>>;
}

/** One promise of a port, as a test. */
export interface Scenario<H extends Harness> {
  readonly name: string;
  /** Why it makes no sense for this harness: what it needs is not declared. */
  unmet(harness: H): string | undefined;
  /** By when everything that it waits for must have happened. Milliseconds. @default the harness's `deadlineMs` */
  limitMs?(harness: H): number;
  /** Rejects with an `AssertionError` where the promise is broken. */
  run(harness: H): Promise<void>;
}

/** What became of a scenario. */
export type ScenarioResult =
  | { readonly name: string; readonly status: 'passed' }
  | { readonly name: string; readonly status: 'skipped'; readonly reason: string }
  | { readonly name: string; readonly status: 'failed'; readonly error: unknown };

/** Runs one scenario without a test runner. Never rejects. */
export async function runScenario<H extends Harness>(scenario: Scenario<H>, harness: H): Promise<ScenarioResult> {
  const { name } = scenario;
  const reason = skipReason(scenario, harness);
  if (reason !== undefined) return { name, status: 'skipped', reason };
  try {
    await scenario.run(harness);
    return { name, status: 'passed' };
  } catch (error) {
    return { name, status: 'failed', error };
  }
}

/** Why the harness does not run it; undefined: it does. */
export const skipReason = <H extends Harness>(scenario: Scenario<H>, harness: H): string | undefined =>
  harness.skip?.[scenario.name] ?? scenario.unmet(harness);

/** Requirements of scenarios, each a check of the harness that gives the reason to skip. */
export type Needs<H, Need extends string> = Readonly<Record<Need, (harness: H) => string | undefined>>;

/** The reasons of all that is not met. */
export function unmetNeeds<H, Need extends string>(
  all: Needs<H, Need>,
  needs: readonly Need[],
  harness: H,
): string | undefined {
  const reasons = needs.flatMap((need) => all[need](harness) ?? []);
  return reasons.length === 0 ? undefined : reasons.join('; ');
}

/** The deadline of a harness, with its default. */
export const deadlineOf = (harness: Harness): number => harness.deadlineMs ?? 10_000;

/** How long cleaning up after a scenario may take. */
export const cleanupLimit = (harness: Harness): number => Math.min(deadlineOf(harness), 5_000);

/** How long a runner should allow: the scenario and cleaning up, with room for the kit to say itself what was late. */
export const timeLimit = <H extends Harness>(scenario: Scenario<H>, harness: H): number =>
  (scenario.limitMs?.(harness) ?? deadlineOf(harness)) + cleanupLimit(harness) + 2_000;
