import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { type Clock, within } from "../base/clock.ts";
import { Fault } from "../base/fault.ts";
import { SECOND } from "../base/units.ts";

const LIMITS = {
  /** Longest line of an answer: a challenge, which lists the names of a domain. */
  lineBytes: 8 * 1024,
  /** What is kept of its complaints, for the log. */
  complaintLength: 300,
  /** The domain controller is asked in between. */
  answerMs: 10 * SECOND,
} as const;

/** Samba's protocol of lines for one NTLM log-in at a time, as Squid has it. */
const ARGUMENTS = ["--helper-protocol=squid-2.5-ntlmssp"] as const;

/** What the helper makes of a message: a challenge for the client; the account that it is; or why it is none, as an NTSTATUS (MS-ERREF 2.3). */
export type NtlmAnswer =
  | { readonly is: "challenge"; readonly message: Buffer }
  | { readonly is: "account"; readonly domain: string; readonly user: string }
  | { readonly is: "refused"; readonly status: string };

interface Question {
  readonly resolve: (line: string) => void;
  readonly reject: (fault: Fault) => void;
}

/**
 * One process of Samba's `ntlm_auth`, which lets winbind ask a domain controller. What reaches it are two letters and base64 that we have
 * made. It is ended when it is late, says what it was not asked for, or what makes no sense. It has nothing of our environment.
 */
export class NtlmHelper {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #clock: Clock;
  #question: Question | undefined;
  #line = "";
  #complaint = "";
  #ended: Fault | undefined;

  /** `program`: a path. It may not be there: the first question says so. */
  constructor(program: string, clock: Clock) {
    this.#clock = clock;
    this.#child = spawn(program, ARGUMENTS, {
      cwd: "/",
      env: { LC_ALL: "C.UTF-8", PATH: "/usr/sbin:/usr/bin:/sbin:/bin" },
    });
    const { stdin, stdout, stderr } = this.#child;
    this.#child.once("error", (error) => this.#end(error.message));
    this.#child.once("close", (code, signal) => this.#end(`it ended with ${code ?? signal}`));
    // That of a process that is gone: "close" says more, or nothing comes in time.
    stdin.on("error", () => undefined);
    stdout.setEncoding("utf8").on("data", (text: string) => this.#hear(text));
    stderr.setEncoding("utf8").on("data", (text: string) => {
      this.#complaint = `${this.#complaint}${text}`.slice(-LIMITS.complaintLength);
    });
  }

  /** False once it has ended, or was ended. */
  get works(): boolean {
    return this.#ended === undefined;
  }

  /** Its answer to a client's first message: a challenge, where it can make one. Whatever was asked before is forgotten. Fault `unavailable`. */
  begin(message: Buffer): Promise<NtlmAnswer> {
    return this.#ask("YR", message);
  }

  /** Its answer to the message that answers its challenge. Fault `unavailable`, also where winbind cannot be asked. */
  conclude(message: Buffer): Promise<NtlmAnswer> {
    return this.#ask("KK", message);
  }

  close(): void {
    this.#end("it was closed");
  }

  async #ask(verb: "YR" | "KK", message: Buffer): Promise<NtlmAnswer> {
    if (this.#ended !== undefined) throw this.#ended;
    if (this.#question !== undefined) throw new Fault("wrong-state", "the NTLM helper is being asked already");
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    this.#question = { resolve, reject };
    this.#child.stdin.write(`${verb} ${message.toString("base64")}\n`);
    const late = (): Fault => this.#end(`it did not answer within ${LIMITS.answerMs / SECOND} s`);
    const line = await within(this.#clock, LIMITS.answerMs, promise, late);
    const answer = answerIn(line);
    if (answer === undefined) throw this.#end(`it said "${line.slice(0, 64)}"`);
    return answer;
  }

  #hear(text: string): void {
    this.#line += text;
    const end = this.#line.indexOf("\n");
    if (end < 0 && this.#line.length <= LIMITS.lineBytes) return;
    const question = this.#question;
    const line = this.#line.slice(0, end);
    if (question === undefined || end < 0 || end > LIMITS.lineBytes || end + 1 < this.#line.length) {
      this.#end("it said what it was not asked for");
      return;
    }
    this.#line = "";
    this.#question = undefined;
    question.resolve(line);
  }

  /** Ends it, and says why: the first reason counts. */
  #end(why: string): Fault {
    if (this.#ended !== undefined) return this.#ended;
    const complaint = this.#complaint.trim().split("\n").at(-1) ?? "";
    this.#ended = new Fault("unavailable", `the NTLM helper: ${why}${complaint === "" ? "" : ` (${complaint})`}`);
    this.#child.kill("SIGKILL");
    this.#question?.reject(this.#ended);
    this.#question = undefined;
    return this.#ended;
  }
}

/** Undefined for what is none of its answers, `BH` (broken helper) among them. */
function answerIn(line: string): NtlmAnswer | undefined {
  const [, challenge] = /^TT ([A-Za-z0-9+/]+={0,2})$/.exec(line) ?? [];
  if (challenge !== undefined) return { is: "challenge", message: Buffer.from(challenge, "base64") };
  const [, domain, user] = /^AF ([^\\\p{Cc}]{1,256})\\([^\\\p{Cc}]{1,256})$/u.exec(line) ?? [];
  if (domain !== undefined && user !== undefined) return { is: "account", domain, user };
  const [, status] = /^NA (NT_STATUS_[A-Z0-9_]{1,64})$/.exec(line) ?? [];
  return status === undefined ? undefined : { is: "refused", status };
}
