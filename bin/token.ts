import { readFile } from "node:fs/promises";
import { TOKEN_INTERFACES } from "../auth/api-token.ts";
import { plainToken, wordsOfToken } from "../auth/managed-tokens.ts";
import { systemClock } from "../base/clock.ts";
import { Fault } from "../base/fault.ts";
import { DAY, isoOf, type UnixMillis, unixMillis } from "../base/units.ts";
import type { DataOptions } from "./data.ts";
import { accountNamed, withAccounts } from "./with-accounts.ts";

export interface AddTokenOptions extends DataOptions {
  readonly interface?: string[];
  readonly from?: string[];
  /** `90d`, an instant in ISO 8601, or `never`. */
  readonly expires?: string;
  /** File with a client's own certificate (PEM), in the place of a secret. */
  readonly certificate?: string;
}

export async function listTokens(name: string, options: DataOptions & { readonly json?: boolean }): Promise<void> {
  await withAccounts(options, async ({ accounts, tokens }) => {
    const list = tokens.list(accountNamed(accounts, name).id);
    if (options.json === true) process.stdout.write(`${JSON.stringify(list.map(plainToken), undefined, 2)}\n`);
    else if (list.length === 0) process.stdout.write(`${name} has no tokens.\n`);
    else
      for (const { name: token, interfaces, certificate, networks, expires, lastUse } of list) {
        const until = expires === undefined ? "never expires" : `expires ${isoOf(expires)}`;
        const used = lastUse === undefined ? "never used" : `used ${isoOf(lastUse.at)} from ${lastUse.address}`;
        const from = networks.length === 0 ? "" : ` from ${networks.join(", ")}`;
        const how = certificate === undefined ? "" : `; certificate ${certificate}`;
        process.stdout.write(`${token}  ${interfaces.join(", ")}${from}; ${until}; ${used}${how}\n`);
      }
  });
}

export async function addToken(name: string, token: string, options: AddTokenOptions): Promise<void> {
  const interfaces = options.interface?.map(interfaceOf);
  const expires = expiryOf(options.expires);
  const pem = options.certificate === undefined ? undefined : await readCertificate(options.certificate);
  await withAccounts(options, async ({ accounts, managed, managedTokens }) => {
    const wanted = { name: token, interfaces, networks: options.from, expires };
    const account = await managed.passInPlaceOf(accountNamed(accounts, name).id, wordsOfToken(wanted, pem), {
      ...wanted,
      certificate: pem,
    });
    if (pem !== undefined) {
      const { certificate = "", expires: end = wanted.expires } = await managedTokens.register(account, wanted, pem);
      const until = end == null ? "" : `, until ${isoOf(end)}`;
      process.stdout.write(`The client with the certificate ${certificate} comes as ${name}${until}.\n`);
      process.stderr.write("Clients are asked for certificates where clientSide.clientCertificates is enabled.\n");
      return;
    }
    const { secret } = await managedTokens.make(account, wanted);
    process.stdout.write(`${secret.reveal()}\n`);
    process.stderr.write("The token is shown this once; it cannot be shown again.\n");
  });
}

export async function removeToken(name: string, token: string, options: DataOptions): Promise<void> {
  await withAccounts(options, async ({ accounts, tokens, managedTokens }) => {
    const account = accountNamed(accounts, name);
    const found = tokens.list(account.id).find((one) => one.name === token);
    if (found === undefined) throw new Fault("not-found", `${name} has no token "${token}"`);
    await managedTokens.revoke(account, found.id);
    process.stdout.write(`The token ${token} of ${name} is revoked.\n`);
  });
}

async function readCertificate(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (cause) {
    throw new Fault("invalid", `${file} cannot be read: ${(cause as Error).message}`, { cause });
  }
}

function interfaceOf(text: string): (typeof TOKEN_INTERFACES)[number] {
  const found = TOKEN_INTERFACES.find((one) => one === text);
  if (found === undefined) throw new Fault("invalid", `a token is for ${TOKEN_INTERFACES.join(", ")}, not "${text}"`);
  return found;
}

function expiryOf(text: string | undefined): UnixMillis | null | undefined {
  if (text === undefined) return undefined;
  if (text === "never") return null;
  const days = /^(\d{1,4})d$/.exec(text)?.[1];
  const at = days === undefined ? Date.parse(text) : systemClock.now() + Number(days) * DAY;
  if (Number.isNaN(at))
    throw new Fault("invalid", `a token expires in days, as 90d, at an instant, or never; not "${text}"`);
  return unixMillis(at);
}
