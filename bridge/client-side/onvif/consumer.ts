import { isFault } from "../../../base/fault.ts";
import type { Resolve } from "../../../net/resolve.ts";
import type { Dialing } from "../../../net/sides.ts";

const ADDRESS_CHARACTERS = 1024;

/** Who is sent messages, by the address that was checked when it subscribed: what its name means later does not count. */
export interface Consumer {
  /** As the subscriber wrote it, without blanks. */
  readonly address: string;
  /** With the checked IP address for a host. */
  readonly url: URL;
  /** For the Host field. */
  readonly host: string;
  /** What its certificate must name. */
  readonly name: string;
}

/** Which consumers there may be. */
export interface ConsumerRules {
  readonly side: Dialing;
  readonly resolve: Resolve;
  /** Messages may be sent without TLS. */
  readonly plainText: boolean;
}

/** Why an address is no consumer's: for the log, never for the subscriber, who would learn names and networks by asking. */
export interface Refusal {
  readonly why: string;
}

/** Reads the address of a consumer and looks it up. */
export async function findConsumer(text: string, rules: ConsumerRules): Promise<Consumer | Refusal> {
  const address = text.trim();
  const url = address.length <= ADDRESS_CHARACTERS ? URL.parse(address) : null;
  if (url === null || !["http:", "https:"].includes(url.protocol)) return { why: "it is no address of HTTP" };
  if (url.username !== "" || url.password !== "") return { why: "it holds a user name or password" };
  if (url.protocol === "http:" && !rules.plainText) return { why: "it is without TLS" };
  url.hash = "";
  const name = url.hostname.replace(/^\[(.*)\]$/, "$1");
  const { host } = url;
  let why = "it has no address";
  try {
    for (const ip of await rules.resolve(name)) {
      const refused = refusalOf(ip, rules.side);
      if (refused === undefined) {
        url.hostname = ip.includes(":") ? `[${ip}]` : ip;
        return { address, url, host, name };
      }
      why = refused;
    }
  } catch (thrown) {
    if (!isFault(thrown, "not-found")) throw thrown;
    why = thrown.message;
  }
  return { why };
}

function refusalOf(ip: string, side: Dialing): string | undefined {
  try {
    side.assertMayDial(ip);
    return undefined;
  } catch (thrown) {
    if (isFault(thrown, "denied")) return thrown.message;
    throw thrown;
  }
}
