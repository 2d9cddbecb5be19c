import type { Credentials } from "../../auth/scheme/http.ts";
import type { Clock } from "../../base/clock.ts";
import { Fault, isFault } from "../../base/fault.ts";
import { SECOND } from "../../base/units.ts";
import type { CameraSide } from "../../net/sides.ts";
import type { CameraTls } from "../../net/tcp.ts";
import { readLoosely } from "../../wsdl/read-loosely.ts";
import { serializeContent } from "../../wsdl/serialize.ts";
import type { Operation, RequestOf, ResponseOf, ServiceTable } from "../../wsdl/service.ts";
import { Caller } from "./caller.ts";
import { readServices } from "./camera.ts";
import { readClock } from "./clock.ts";
import { RefusedLogIn } from "./refused-log-in.ts";

const LIMITS = {
  /** Requests that wait for the one that is being answered. */
  waiting: 8,
  /** And of those that must not be refused; one that waits already does what one more would. */
  urgent: 16,
  /** What a caller must have left to be used for one more request. */
  reserveMs: 15 * SECOND,
} as const;

export interface ConversationOptions {
  /** The camera's device service, at `ip`. */
  readonly device: URL;
  /** The only address that is dialed. */
  readonly ip: string;
  readonly credentials?: Credentials;
  readonly tls?: CameraTls;
  readonly side: CameraSide;
  readonly clock: Clock;
  /** Ends what is being asked. */
  readonly signal: AbortSignal;
}

/** What is known while a camera answers. */
export interface Talking {
  readonly caller: Caller;
  readonly services: Awaited<ReturnType<typeof readServices>>;
}

/**
 * A conversation with one camera that lasts: its services and the log-in are found out once, requests go one after the other.
 * Each is bounded like those of {@link Caller}, and so are those that wait.
 */
export class Conversation {
  readonly #options: ConversationOptions;
  #talking: Talking | undefined;
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;
  readonly #refused: RefusedLogIn;

  constructor(options: ConversationOptions) {
    this.#options = options;
    this.#refused = new RefusedLogIn(options.clock);
  }

  /**
   * Asks for an operation of a service; a camera that does not announce the service is asked where its device service is.
   * Faults: those of {@link Caller.call}, `busy`, and `invalid` for an answer without what it needs to have.
   */
  ask<T extends ServiceTable, K extends keyof T["operations"] & string>(
    table: T,
    operation: K,
    request: RequestOf<T["operations"][K]>,
    how: { readonly urgent?: boolean } = {},
  ): Promise<ResponseOf<T["operations"][K]>> {
    const { request: asked, response } = table.operations[operation] as Operation;
    return this.run(async ({ caller, services }) => {
      const url = services.urls.get(table.namespace) ?? this.#options.device;
      const { xml } = serializeContent(asked, request);
      const { body } = await caller.call({ url, prefix: table.prefix, operation, content: xml });
      const answer = readLoosely(response, body);
      if (answer === undefined)
        throw new Fault("invalid", `${operation}: the answer lacks something`, {
          tell: "the camera's answer cannot be used",
        });
      return answer as ResponseOf<T["operations"][K]>;
    }, how);
  }

  /** Lets `work` have the conversation for itself. What is `urgent` waits its turn, too, but is not refused for those before it. */
  async run<R>(work: (talking: Talking) => Promise<R>, { urgent = false } = {}): Promise<R> {
    if (this.#waiting >= (urgent ? LIMITS.urgent : LIMITS.waiting))
      throw new Fault("busy", "too many requests wait for a camera", { tell: "the camera is busy" });
    this.#waiting += 1;
    const mine = this.#last.then(() => this.#refused.respected(() => this.#attempt(work)));
    this.#last = mine.catch(() => undefined);
    try {
      return await mine;
    } finally {
      this.#waiting -= 1;
    }
  }

  async #attempt<R>(work: (talking: Talking) => Promise<R>): Promise<R> {
    try {
      return await work(await this.#talk());
    } catch (error) {
      // It may have come back as something else.
      if (isFault(error, "unauthenticated") || isFault(error, "unavailable")) this.#talking = undefined;
      throw error;
    }
  }

  async #talk(): Promise<Talking> {
    const before = this.#talking;
    if (before !== undefined && before.caller.remainingMs > LIMITS.reserveMs) return before;
    const { device, ip } = this.#options;
    const caller = new Caller({ ...this.#options, ...(before === undefined ? {} : { login: before.caller.login }) });
    if (before === undefined) {
      const offset = await readClock(caller, { url: device, prefix: "tds", operation: "GetSystemDateAndTime" });
      caller.login.clockOffsetMs = offset ?? caller.login.clockOffsetMs;
    }
    this.#talking = { caller, services: before?.services ?? (await readServices(caller, device, ip)) };
    return this.#talking;
  }
}
