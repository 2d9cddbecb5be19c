import { connect, isIP, type OnReadOpts, type Socket } from "node:net";
import { connect as connectTls, type TLSSocket } from "node:tls";
import type { Clock } from "../base/clock.ts";
import { Fault } from "../base/fault.ts";
import { equalInConstantTime } from "../base/secret.ts";
import { spkiOf } from "../base/spki.ts";
import type { Millis } from "../base/units.ts";
import type { Dialing } from "./sides.ts";

/** How we know a camera over TLS. With none of the three the connection is refused: encryption to anybody is worth nothing. */
export interface CameraTls {
  /** SHA-256 of the key (SubjectPublicKeyInfo) that the camera had when it was adopted, base64. */
  readonly pin?: string;
  /** PEM certificates of the site's own authority. Without a pin the certificate must also name the address that is dialed. */
  readonly ca?: string;
  /** Trust on first use: asked when there is neither pin nor ca, before anything is sent, and told what to remember as the pin. */
  readonly onPin?: (spki: string) => void;
}

/** How we know somebody else: by the key, or by a certificate of `ca` (PEM), or else of an authority that this machine trusts. */
export interface ServerTls {
  /** The name or address that the certificate must have, where there is no pin. */
  readonly name: string;
  readonly ca?: string;
  /** SHA-256 of the key (SubjectPublicKeyInfo), base64. */
  readonly pin?: string;
}

/** How Node.js calls what it has against a certificate. */
const UNTRUSTED = /^(?:ERR_TLS_CERT_|CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_(?:GET|VERIFY)_)/;

export interface DialOptions {
  /** An IP literal. Names are never looked up: they could lead anywhere. */
  readonly host: string;
  readonly port: number;
  readonly side: Dialing;
  readonly clock: Clock;
  /** For the whole way, TLS handshake included. */
  readonly timeoutMs: Millis;
  readonly signal?: AbortSignal;
  readonly tls?: CameraTls | ServerTls;
  /**
   * Takes what comes, instead of listeners of `data`, once the socket is resumed. The bytes are the callee's during the call alone: all
   * sockets are read into one place, because memory for each piece would cost more than what is done with it.
   */
  readonly onData?: (bytes: Buffer) => void;
}

/** Where sockets with `onData` are read into, one after the other: as much as the runtime asks the system for at once. */
const ROOM = Buffer.allocUnsafeSlow(64 * 1024);

/**
 * Connects to a camera, or to who is told of events. The socket has Nagle's delay off and carries a silent `error` listener, so that a failure before the
 * caller listens ends nothing; the caller learns of the end by `close` or by a listener of its own.
 *
 * Over TLS no byte of ours is sent before the other end's key is checked. Faults: `denied` (the camera side forbids the
 * address, or the key is not the expected one), `unavailable` (no answer in time, refused, aborted by `signal`).
 */
export function dial(options: DialOptions): Promise<Socket> {
  const { host, port, side, clock, timeoutMs, signal, tls, onData } = options;
  const where = `${isIP(host) === 6 ? `[${host}]` : host}:${port}`;
  return new Promise((resolve, reject) => {
    side.assertMayDial(host);
    if (signal?.aborted === true) throw new Fault("unavailable", `dialing ${where} was called off`);
    if (!Number.isInteger(port) || port < 1 || port > 65_535) throw new Fault("invalid", `port ${port}`);
    const localAddress = side.localAddressFor(host);
    const tcp = connect({
      host,
      port,
      noDelay: true,
      ...(localAddress === undefined ? {} : { localAddress }),
      // What comes in TLS has memory of its own in any case.
      ...(onData === undefined || tls !== undefined ? {} : { onread: readInto(onData) }),
    });
    if (onData !== undefined && tls === undefined) tcp.pause();
    let socket: Socket = tcp;

    const settle = (): void => {
      timer.cancel();
      signal?.removeEventListener("abort", onAbort);
      socket.off("error", onError);
      socket.off("close", onClose);
    };
    const fail = (fault: Fault): void => {
      settle();
      socket.destroy();
      tcp.destroy();
      reject(fault);
    };
    const onAbort = (): void => fail(new Fault("unavailable", `dialing ${where} was called off`));
    const onError = (cause: Error): void => fail(failureOf(cause, where, tls !== undefined && "name" in tls));
    const onClose = (): void => fail(new Fault("unavailable", `${where} closed the connection during the handshake`));
    const timer = clock.after(timeoutMs, () =>
      fail(new Fault("unavailable", `no answer from ${where} within ${timeoutMs} ms`)),
    );
    const watch = (one: Socket): void => {
      one.on("error", () => undefined);
      one.on("error", onError);
      one.on("close", onClose);
    };
    const done = (): void => {
      settle();
      if (onData !== undefined && tls !== undefined) socket.pause().on("data", onData);
      resolve(socket);
    };

    signal?.addEventListener("abort", onAbort, { once: true });
    watch(tcp);
    tcp.once("connect", () => {
      tcp.setKeepAlive(true, 30_000);
      if (tls === undefined) {
        done();
        return;
      }
      tcp.off("error", onError);
      tcp.off("close", onClose);
      const secure = connectTls({
        socket: tcp,
        ...namesOf(tls, host),
        minVersion: "TLSv1.2",
        // Whoever is pinned proves their key, whatever the certificate says of names, dates and issuers.
        rejectUnauthorized: tls.pin === undefined && ("name" in tls || tls.ca !== undefined),
        ...(tls.ca === undefined ? {} : { ca: tls.ca }),
      });
      socket = secure;
      watch(secure);
      secure.once("secureConnect", () => {
        try {
          if (!("name" in tls)) assertKnown(secure, tls, where);
          else if (tls.pin !== undefined) assertPinned(secure, tls.pin, where);
          done();
        } catch (error) {
          fail(
            error instanceof Fault
              ? error
              : new Fault("unavailable", `cannot read the key of ${where}`, { cause: error }),
          );
        }
      });
    });
  });
}

/** Whom the certificate has to name. */
function namesOf(tls: CameraTls | ServerTls, host: string): { readonly host: string; readonly servername?: string } {
  if (!("name" in tls)) return { host };
  return { host: tls.name, ...(isIP(tls.name) > 0 ? {} : { servername: tls.name }) };
}

function readInto(onData: (bytes: Buffer) => void): OnReadOpts {
  return {
    buffer: ROOM,
    callback: (count) => {
      onData(ROOM.subarray(0, count));
      return true;
    },
  };
}

function assertPinned(socket: TLSSocket, pin: string, where: string): void {
  const certificate = socket.getPeerX509Certificate();
  const spki = certificate === undefined ? "none" : spkiOf(certificate);
  if (!equalInConstantTime(spki, pin)) throw new Fault("denied", `${where} has the key ${spki}, not the pinned one`);
}

function assertKnown(socket: TLSSocket, known: CameraTls, where: string): void {
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) throw new Fault("denied", `${where} shows no certificate`);
  const spki = spkiOf(certificate);
  if (known.pin !== undefined) {
    if (!equalInConstantTime(spki, known.pin))
      throw new Fault("denied", `${where} has another key than the one it was adopted with (now ${spki})`, {
        tell: "the camera shows another certificate than the one it was adopted with: if it was replaced or reset, remove it and adopt it again; if not, somebody may be in between",
      });
  } else if (known.ca === undefined) {
    if (known.onPin === undefined) throw new Fault("denied", `nothing is known to recognize ${where} by`);
    known.onPin(spki);
  }
}

/** What keeps a connection from standing. */
function failureOf(cause: Error, where: string, noCamera: boolean): Fault {
  const code = codeOf(cause);
  if (!UNTRUSTED.test(code)) return new Fault("unavailable", `cannot connect to ${where}: ${code}`, { cause });
  const tell =
    "the camera's certificate is not one of this site's authority (cameraSide.ca) for the address that is dialed: give the camera one";
  return new Fault("denied", `the certificate of ${where} is not good: ${code}`, {
    ...(noCamera ? {} : { tell }),
    cause,
  });
}

function codeOf(error: Error): string {
  return "code" in error && typeof error.code === "string" ? error.code : error.message;
}
