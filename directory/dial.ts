import { connect, isIP, type Socket } from "node:net";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { type Clock, within } from "../base/clock.ts";
import { Fault } from "../base/fault.ts";
import { equalInConstantTime } from "../base/secret.ts";
import { spkiOf } from "../base/spki.ts";
import { SECOND } from "../base/units.ts";
import { elementAt } from "./ber.ts";
import { Frames } from "./framing.ts";
import type { Encryption, Trust } from "./options.ts";
import type { Server } from "./servers.ts";

const LIMITS = {
  connectMs: 5 * SECOND,
  /** StartTLS and the handshake. */
  tlsMs: 10 * SECOND,
} as const;

/** ExtendedRequest of StartTLS (RFC 4511 4.14), message 1. */
const START_TLS = Buffer.concat([Buffer.from("301d02010177188016", "hex"), Buffer.from("1.3.6.1.4.1.1466.20037")]);

const EXTENDED_RESPONSE = 0x78;

/** How Node.js calls what it has against a certificate. */
const UNTRUSTED = /^(?:ERR_TLS_CERT_|CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_(?:GET|VERIFY)_)/;

/** A TCP connection. Fault `unavailable`. */
export async function connectTo(address: string, { host, port }: Server, clock: Clock): Promise<Socket> {
  const socket = connect({ host: address, port, noDelay: true });
  // Whoever uses it later hears of its end by `close`; an error that nobody hears would end the process.
  socket.on("error", () => undefined);
  const where = `${host} (${address}) port ${port}`;
  try {
    await within(clock, LIMITS.connectMs, settled(socket, "connect"), () => new Error("no answer"));
    socket.setKeepAlive(true, 30 * SECOND);
    return socket;
  } catch (cause) {
    socket.destroy();
    const tell = `no connection to ${where} (${reasonOf(cause)}): check that the server runs, the port, and firewalls in between`;
    throw new Fault("unavailable", tell, { tell, cause });
  }
}

/**
 * Makes the connection an encrypted one to a server whose certificate is known to be that of `host`, and shows no password before.
 * The socket is closed where that fails. Faults: `denied` (the certificate), `unavailable`.
 */
export async function encrypt(
  socket: Socket,
  { host, port }: Server,
  o: { readonly encryption: Encryption; readonly trust: Trust; readonly clock: Clock },
): Promise<Socket> {
  if (o.encryption === "none") return socket;
  const { pin, ca } = o.trust;
  let secure: TLSSocket | undefined;
  try {
    return await within(
      o.clock,
      LIMITS.tlsMs,
      (async () => {
        if (o.encryption === "starttls") await startTls(socket);
        secure = connectTls({
          socket,
          host,
          ...(isIP(host) === 0 ? { servername: host } : {}),
          minVersion: "TLSv1.2",
          // A pinned server proves its key, whatever its certificate says of names, dates and issuers.
          rejectUnauthorized: pin === undefined,
          ...(ca === undefined ? {} : { ca }),
        });
        secure.on("error", () => undefined);
        await settled(secure, "secureConnect");
        const spki = spkiOf(secure.getPeerX509Certificate() ?? refuse("the server shows no certificate"));
        if (pin !== undefined && !equalInConstantTime(spki, pin))
          refuse(
            `the server has the key ${spki}, not the one of trust.pin: if it was renewed on purpose, change the pin`,
          );
        return secure;
      })(),
      () => new Error("no answer"),
    );
  } catch (cause) {
    secure?.destroy();
    socket.destroy();
    throw cause instanceof Fault ? cause : failureOf(cause, `${host} port ${port}`, o.encryption);
  }
}

/** Whatever the server sends behind its answer could be of somebody in between, and is refused. */
async function startTls(socket: Socket): Promise<void> {
  const frames = new Frames();
  const answer = new Promise<Buffer>((resolve, reject) => {
    const listen = (chunk: Buffer): void => {
      try {
        const [message, ...more] = frames.push(chunk);
        if (message === undefined) return;
        socket.off("data", listen);
        socket.pause();
        if (more.length > 0 || frames.pending > 0)
          refuse("something was sent between StartTLS and the handshake: somebody may be in between");
        resolve(message);
      } catch (error) {
        reject(error);
      }
    };
    socket.on("data", listen);
    socket.once("close", () => reject(new Error("the server closed the connection")));
  });
  socket.write(START_TLS);
  const code = resultOf(await answer);
  if (code !== 0) throw new Error(`the server refuses StartTLS (result ${code})`);
}

/** The result code of an ExtendedResponse. */
function resultOf(message: Buffer): number {
  const id = elementAt(message, elementAt(message, 0)?.start ?? 0);
  const response = elementAt(message, id?.end ?? 0);
  const result = elementAt(message, response?.start ?? 0);
  if (response?.tag !== EXTENDED_RESPONSE || result === undefined) throw new Error("no answer to StartTLS");
  return message[result.start] ?? -1;
}

function settled(socket: Socket, event: "connect" | "secureConnect"): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once(event, resolve);
    socket.once("error", reject);
    socket.once("close", () => reject(new Error("the server closed the connection")));
  });
}

function failureOf(cause: unknown, where: string, encryption: Encryption): Fault {
  const reason = reasonOf(cause);
  if (UNTRUSTED.test(reason)) {
    const tell = `the certificate of ${where} is not good (${reason}): trust.ca has to be the authority that made it, and it has to name the host as it stands in servers`;
    return new Fault("denied", tell, { tell, cause });
  }
  const how = encryption === "starttls" ? "StartTLS" : "LDAPS";
  const tell = `no encrypted connection to ${where} by ${how} (${reason}): check that the server has a certificate and speaks ${how} on this port`;
  return new Fault("unavailable", tell, { tell, cause });
}

function refuse(why: string): never {
  throw new Fault("denied", why, { tell: why });
}

function reasonOf(cause: unknown): string {
  const { code, message } = cause as NodeJS.ErrnoException;
  return code ?? message;
}
