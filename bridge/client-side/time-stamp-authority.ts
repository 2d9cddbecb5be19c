import type { X509Certificate } from "node:crypto";
import type { Clock } from "../../base/clock.ts";
import { Fault } from "../../base/fault.ts";
import { SECOND } from "../../base/units.ts";
import { serverSide } from "../../net/consumers.ts";
import { httpRequest } from "../../net/http-request.ts";
import { type Resolve, resolveName } from "../../net/resolve.ts";
import {
  checkTimeStamp,
  newNonce,
  printTimeStampRequest,
  TIME_STAMP_BYTES,
  type TimeStamp,
  tokenIn,
} from "../../recorder/cms/time-stamp.ts";
import { passwordIn } from "../password-file.ts";
import type { TimeStampSettings } from "../time-stamp-settings.ts";
import { findConsumer } from "./onvif/consumer.ts";

const LIMITS = {
  /** From the dialing to the last byte. */
  requestMs: 20 * SECOND,
} as const;

/** A token that was checked, as it came. */
export interface Stamped {
  readonly token: Buffer;
  readonly stamp: TimeStamp;
}

/** A time stamp authority, asked over HTTP (RFC 3161 3.4). */
export class TimeStampAuthority {
  readonly #settings: TimeStampSettings;
  readonly #trusted: readonly X509Certificate[];
  readonly #serverCa: string | undefined;
  readonly #cameraInterfaces: readonly string[];
  readonly #clock: Clock;
  readonly #resolve: Resolve;

  constructor(o: {
    readonly settings: TimeStampSettings;
    /** Of `settings.ca` and `settings.serverCa`. */
    readonly trusted: readonly X509Certificate[];
    readonly serverCa?: string | undefined;
    /** Where cameras are, and so no authority. */
    readonly cameraInterfaces: readonly string[];
    readonly clock: Clock;
    readonly resolve?: Resolve;
  }) {
    this.#settings = o.settings;
    this.#trusted = o.trusted;
    this.#serverCa = o.serverCa;
    this.#cameraInterfaces = o.cameraInterfaces;
    this.#clock = o.clock;
    this.#resolve = o.resolve ?? resolveName;
  }

  /**
   * Has a SHA-256 stamped, and checks what comes. Faults: `unavailable` (it cannot be reached, or refuses), `invalid` (what it answers is
   * no time stamp of this request), `denied` (who stamped, or the server, is not trusted, or is where cameras are).
   */
  async stamp(hash: Buffer, signal: AbortSignal): Promise<Stamped> {
    const { url, login } = this.#settings;
    const side = serverSide(new URL(url).hostname, this.#cameraInterfaces);
    const server = await findConsumer(url, { side, resolve: this.#resolve, plainText: true });
    if ("why" in server) throw new Fault("denied", `the time stamp authority is not asked: ${server.why}`);
    const nonce = newNonce();
    const ca = this.#serverCa;
    const { status, body } = await httpRequest({
      url: server.url,
      method: "POST",
      headers: {
        Host: server.host,
        "Content-Type": "application/timestamp-query",
        ...(login === undefined ? {} : { Authorization: await basic(login) }),
      },
      body: printTimeStampRequest(hash, nonce),
      maxBytes: TIME_STAMP_BYTES,
      timeoutMs: LIMITS.requestMs,
      side,
      clock: this.#clock,
      signal,
      ...(server.url.protocol === "https:" ? { tls: { name: server.name, ...(ca === undefined ? {} : { ca }) } } : {}),
    });
    if (status !== 200) throw new Fault("unavailable", `${server.host} answers ${status}`);
    const token = tokenIn(body);
    return { token, stamp: checkTimeStamp(token, { hash, nonce, trusted: this.#trusted }) };
  }
}

/** RFC 7617 2. */
async function basic({ user, passwordFile }: NonNullable<TimeStampSettings["login"]>): Promise<string> {
  const password = await passwordIn(passwordFile, "recording.timeStamps.login.passwordFile");
  return `Basic ${Buffer.from(`${user}:${password.reveal()}`).toString("base64")}`;
}
