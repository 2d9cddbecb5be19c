import type { ChallengeAnswerer } from "../../auth/scheme/http.ts";
import type { Clock } from "../../base/clock.ts";
import { Fault } from "../../base/fault.ts";
import type { QuirkSeen } from "../../base/quirk.ts";
import { SECOND } from "../../base/units.ts";
import { type Headers, header, headerValues, type Response } from "../wire/message.ts";
import type { RtspConnection } from "./connection.ts";
import type { RtspQuirk } from "./known-quirks.ts";
import { sessionOf } from "./quirks.ts";

const LIMITS = {
  /** Challenges in a row for one request; beyond, the camera is playing with us. */
  challenges: 3,
  /** How long a camera may take to say goodbye. */
  teardownMs: 2 * SECOND,
};

const USER_AGENT = "Viaduct";

/** What is asked on one connection: each request with the log-in that the camera wants, and with its session. */
export class Conversation {
  readonly #connection: RtspConnection;
  readonly #answerer: ChallengeAnswerer | undefined;
  readonly #seen: QuirkSeen<RtspQuirk>;
  #sessionId: string | undefined;
  #timeoutSeconds: number | undefined;

  constructor(connection: RtspConnection, answerer: ChallengeAnswerer | undefined, seen: QuirkSeen<RtspQuirk>) {
    this.#connection = connection;
    this.#answerer = answerer;
    this.#seen = seen;
  }

  /** The camera keeps a session for us. */
  get hasSession(): boolean {
    return this.#sessionId !== undefined;
  }

  /** After which silence of ours the camera ends the session, in seconds; undefined where it does not say. */
  get timeoutSeconds(): number | undefined {
    return this.#timeoutSeconds;
  }

  /** Sends a request, and once more with credentials where the camera asks for them. Faults: `unauthenticated`, those of the connection. */
  async ask(method: string, uri: string, headers: Headers = []): Promise<Response> {
    for (let challenges = 0; ; challenges += 1) {
      const authorization = this.#answerer?.authorize(method, uri);
      if (this.#answerer?.renewsUnasked === true) this.#seen("one-time-nonces");
      const response = await this.#connection.request(method, uri, [
        ["User-Agent", USER_AGENT],
        ...(authorization === undefined ? [] : ([["Authorization", authorization]] as const)),
        ...(this.#sessionId === undefined ? [] : ([["Session", this.#sessionId]] as const)),
        ...headers,
      ]);
      if (response.status !== 401) return response;
      if (this.#answerer === undefined)
        throw new Fault("unauthenticated", `${method} needs a log-in`, {
          tell: "the camera wants a user and password",
        });
      if (challenges === LIMITS.challenges || !this.#answerer.challenged(headerValues(response, "WWW-Authenticate")))
        throw new Fault("unauthenticated", `${method}: the camera refuses the log-in`, {
          tell: "the camera does not accept user and password",
        });
    }
  }

  /** The answer to a SETUP. Cameras exist that change the id with every one, and mean the first (scottlamb/retina 0.4.6). */
  noteSession(response: Response): void {
    const session = sessionOf(header(response, "Session"));
    this.#sessionId ??= session?.id;
    if (session !== undefined && session.id !== this.#sessionId) this.#seen("changing-session");
    this.#timeoutSeconds ??= session?.timeoutSeconds;
  }

  /** The answer to PLAY. Cameras exist that name the session with it, and not before (bluenviron/mediamtx#840). */
  notePlay(response: Response): void {
    if (this.#sessionId !== undefined) return;
    this.noteSession(response);
    if (this.#sessionId !== undefined) this.#seen("late-session");
  }

  /** Ends the session at the camera: they keep one that was not ended for a minute, and have few of them. */
  async teardown(uri: string, clock: Clock, headers: Headers = []): Promise<void> {
    if (!this.hasSession) return;
    const waited = new AbortController();
    await Promise.race([
      this.ask("TEARDOWN", uri, headers).catch(() => undefined),
      this.#connection.ended.catch(() => undefined),
      clock.sleep(LIMITS.teardownMs, waited.signal).catch(() => undefined),
    ]);
    waited.abort();
  }
}
