import type { Socket } from "node:net";
import { checkServerIdentity } from "node:tls";
import { createTransport } from "nodemailer";
import type { CodeSender } from "../../auth/sent-codes.ts";
import { plainAddress } from "../../base/address.ts";
import { type Clock, within } from "../../base/clock.ts";
import { asFault, Fault } from "../../base/fault.ts";
import type { Secret } from "../../base/secret.ts";
import { SECOND } from "../../base/units.ts";
import { serverSide } from "../../net/consumers.ts";
import { type Resolve, resolveName } from "../../net/resolve.ts";
import { dial } from "../../net/tcp.ts";
import { readCa } from "../certificates-file.ts";
import { type MailSettings, mailPortOf } from "../mail-settings.ts";
import { passwordIn } from "../password-file.ts";

const LIMITS = {
  dialMs: 5 * SECOND,
  /** For each answer of the server. */
  answerMs: 10 * SECOND,
  /** For all of them: a server that goes on answering would hold who logs in for ever. */
  deliveryMs: 60 * SECOND,
  /** Of one. What a server says goes into the log where it does not take the mail. */
  answerBytes: 8 * 1024,
} as const;

/** Gives mail to the server of the site (RFC 5321), inside TLS unless that was switched off (RFC 3207, 8314). */
export class Mailer implements CodeSender {
  readonly #settings: MailSettings;
  readonly #cameraInterfaces: readonly string[];
  readonly #clock: Clock;
  readonly #resolve: Resolve;

  /** `cameraInterfaces`: where cameras are, and so no mail server. */
  constructor(
    settings: MailSettings,
    cameraInterfaces: readonly string[],
    clock: Clock,
    resolve: Resolve = resolveName,
  ) {
    this.#settings = settings;
    this.#cameraInterfaces = cameraInterfaces;
    this.#clock = clock;
    this.#resolve = resolve;
  }

  /** A code to log in with. Fault `unavailable`. */
  async send(to: string, code: Secret): Promise<void> {
    const text = [
      `Your code for Viaduct is ${code.reveal()}.`,
      "",
      "It is good for five minutes, once, where you are logging in. Nobody will ever ask you for it.",
      "If you are not logging in, somebody knows your password: change it.",
      "",
    ];
    try {
      await this.deliver(to, "Code to log in", text.join("\n"));
    } catch (error) {
      // What a server says of mail that it does not take may repeat it, and comes into logs, as a cause does.
      const { kind, message } = asFault(error);
      throw new Fault(kind, message.replaceAll(code.reveal(), "…"));
    }
  }

  /** One message of plain text. Faults: `unavailable`, `denied` (the server is where cameras are). */
  async deliver(to: string, subject: string, text: string): Promise<void> {
    const { host, encryption, ca, user, passwordFile, from } = this.#settings;
    const port = mailPortOf(this.#settings);
    const trusted = ca === undefined ? undefined : await readCa(ca, "mail.ca");
    const password = passwordFile === undefined ? undefined : await passwordIn(passwordFile, "mail.passwordFile");
    const socket = await this.#dial(trusted);
    const transport = createTransport({
      host,
      port,
      secure: encryption === "tls",
      requireTLS: encryption === "starttls",
      ignoreTLS: encryption === "none",
      tls: {
        minVersion: "TLSv1.2",
        // RFC 6066 3 has no addresses; the certificate must name it all the same.
        ...(plainAddress(host) === undefined ? { servername: host } : {}),
        checkServerIdentity: (_name, certificate) => checkServerIdentity(host, certificate),
        ...(trusted === undefined ? {} : { ca: trusted }),
      },
      ...(user === undefined || password === undefined ? {} : { auth: { user, pass: password.reveal() } }),
      getSocket: (_options, done) => done(null, { connection: socket, secured: encryption === "tls" }),
      greetingTimeout: LIMITS.answerMs,
      socketTimeout: LIMITS.answerMs,
      maxResponseSize: LIMITS.answerBytes,
      disableFileAccess: true,
      disableUrlAccess: true,
    });
    try {
      const sent = transport.sendMail({ from, to: { name: "", address: to }, subject, text });
      await within(this.#clock, LIMITS.deliveryMs, sent, () => new Error("it took too long"));
    } catch (cause) {
      throw new Fault("unavailable", `${host}:${port} did not take the mail: ${(cause as Error).message}`, { cause });
    } finally {
      transport.close();
      socket.destroy();
    }
  }

  async #dial(ca: string | undefined): Promise<Socket> {
    const { host, encryption } = this.#settings;
    const side = serverSide(host, this.#cameraInterfaces);
    const shared = { port: mailPortOf(this.#settings), side, clock: this.#clock, timeoutMs: LIMITS.dialMs };
    const tls = encryption === "tls" ? { tls: { name: host, ...(ca === undefined ? {} : { ca }) } } : {};
    let last: unknown;
    for (const address of await this.#resolve(host)) {
      try {
        return await dial({ ...shared, host: address, ...tls });
      } catch (error) {
        last = error;
      }
    }
    throw new Fault("unavailable", `${host} cannot be reached: ${asFault(last).message}`, { cause: last });
  }
}
