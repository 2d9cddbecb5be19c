import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import { text as textOf } from "node:stream/consumers";
import { Fault } from "../base/fault.ts";
import { Secret } from "../base/secret.ts";

/** What a passphrase that keeps recordings must have at least. */
const SHORTEST = 12;
const LONGEST = 1024;

/**
 * How the passphrase of the master key is had: from a file descriptor, else from the terminal, without showing it. Never
 * from the command line or the environment, which others on the machine can read. Undefined where there is neither.
 */
export function passphraseFrom(
  fd: string | undefined,
  question = "Passphrase of the master key: ",
): (() => Promise<Secret>) | undefined {
  if (fd !== undefined) return () => fromDescriptor(fd);
  return process.stdin.isTTY && process.stderr.isTTY ? () => fromTerminal(question) : undefined;
}

/** Asks for a new passphrase; at the terminal twice. */
export async function newPassphrase(fd: string | undefined): Promise<Secret> {
  const ask = passphraseFrom(fd);
  if (ask === undefined)
    throw new Fault(
      "invalid",
      "nobody can be asked for a passphrase: give its file descriptor, or run it at a terminal",
    );
  const first = fd === undefined ? await fromTerminal("New passphrase: ") : await ask();
  if (first.reveal().length < SHORTEST)
    throw new Fault("invalid", `a passphrase needs ${SHORTEST} characters at least; four random words are good ones`);
  if (fd === undefined && !first.equals((await fromTerminal("Once more: ")).reveal()))
    throw new Fault("invalid", "the two are not the same; nothing was changed");
  return first;
}

/** Asks for a secret that is made elsewhere: at the terminal without showing it, or from a file descriptor. */
export async function newSecret(question: string, fd: string | undefined): Promise<Secret> {
  if (fd !== undefined) return fromDescriptor(fd);
  if (process.stdin.isTTY && process.stderr.isTTY) return fromTerminal(question);
  throw new Fault("invalid", "nobody can be asked: give a file descriptor, or run it at a terminal");
}

async function fromDescriptor(fd: string): Promise<Secret> {
  const number = Number(fd);
  if (!Number.isInteger(number) || number < 0) throw new Fault("invalid", `${fd} is no file descriptor`);
  let text: string;
  try {
    text = await textOf(createReadStream("", { fd: number, end: 4 * LONGEST }));
  } catch (cause) {
    throw new Fault("unavailable", `cannot read the passphrase from file descriptor ${fd}`, { cause });
  }
  const [line = ""] = text.split(/\r?\n/, 1);
  return checked(line);
}

async function fromTerminal(question: string): Promise<Secret> {
  process.stderr.write(question);
  try {
    return await readHidden(process.stdin);
  } finally {
    process.stderr.write("\n");
  }
}

/** The next line that is typed, which is not shown. Fault `unavailable` where input is ended or broken off (Ctrl-D, Ctrl-C). */
export function readHidden(input: NodeJS.ReadableStream): Promise<Secret> {
  return new Promise((resolve, reject) => {
    const lines = createInterface({ input, terminal: true });
    lines.once("line", (line) => {
      try {
        resolve(checked(line));
      } catch (error) {
        reject(error);
      }
      lines.close();
    });
    lines.once("SIGINT", () => lines.close());
    lines.once("close", () => reject(new Fault("unavailable", "no passphrase was given; nothing was changed")));
  });
}

function checked(line: string): Secret {
  if (line.length === 0 || line.length > LONGEST) throw new Fault("invalid", "no passphrase, or one without end");
  return new Secret(line);
}
