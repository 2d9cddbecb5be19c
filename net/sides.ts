import { isIP } from "node:net";
import { networkInterfaces } from "node:os";
import { Networks, plainAddress } from "../base/address.ts";
import { Fault } from "../base/fault.ts";

const LIMITS = {
  /** Longest address that a camera may name; real ones have some hundred characters. */
  uriLength: 2048,
} as const;

/** Never anybody to dial, whatever is configured: unspecified, multicast, broadcast, reserved, translated and tunneled ranges, cloud metadata. */
export const NEVER = new Networks([
  "0.0.0.0/8",
  "224.0.0.0/3",
  "::",
  "ff00::/8",
  "64:ff9b::/96",
  "64:ff9b:1::/48",
  "2002::/16",
  "2001::/32",
  "169.254.169.254",
  "169.254.170.2",
  "100.100.100.200",
  "192.0.0.192",
  "fd00:ec2::254",
]);

/** Loopback and link-local networks: to be dialed only where the site says so. */
export const NEARBY = ["127.0.0.0/8", "169.254.0.0/16", "::1", "fe80::/10"] as const;
const UNLIKELY = new Networks(NEARBY);

/** Where somebody may be dialed, and from which of our addresses. */
export interface Dialing {
  /** Throws Fault `denied`. `ip`: an IP literal. */
  assertMayDial(ip: string): void;
  /** Our address on the network that holds `ip`; undefined: let the system choose. */
  localAddressFor(ip: string): string | undefined;
}

/** Which addresses the bridge uses towards cameras, and where it may dial. */
export interface CameraSide extends Dialing {
  /** Our own addresses on camera networks, read from the system at each call, for interfaces come and go. Discovery sends from each. */
  readonly localAddresses: readonly string[];
  /**
   * Throws Fault `denied` where a camera must not be dialed: loopback, link-local, metadata services, multicast,
   * unspecified, our own addresses and the networks of the client side. Loopback, link-local and client-side networks
   * are allowed where that very network is configured as a camera network; an address of our own only by itself (`/32`).
   */
  assertMayDial(ip: string): void;
}

interface LocalAddress {
  readonly address: string;
  readonly cidr: string;
  readonly internal: boolean;
}

export interface CameraSideSettings {
  /** Our own addresses on camera networks, or ranges (`10.1.0.0/16`) that hold cameras. Empty: every interface that is not the client side's. */
  readonly interfaces: readonly string[];
  /** The addresses on which we serve clients. `0.0.0.0` and `::` name no network and count for nothing here. */
  readonly clientAddresses: readonly string[];
}

/** `system`: the machine's interfaces, as `os.networkInterfaces` tells them. Fault `invalid` for settings that are no addresses. */
export function cameraSide(
  settings: CameraSideSettings,
  system: typeof networkInterfaces = networkInterfaces,
): CameraSide {
  const ranges = settings.interfaces.filter((text) => text.includes("/"));
  const addresses = settings.interfaces.filter((text) => !text.includes("/"));
  const configured = new Networks(settings.interfaces);
  /** Single machines that the site names as cameras: the only way to an address of our own. */
  const machines = new Networks(ranges.filter((text) => /^\[?[\d.]+\/32$|:.*\/128$/.test(text)));
  const own = new Set(addresses.flatMap((text) => plainAddress(text) ?? []));
  const clients = new Set(settings.clientAddresses.flatMap((text) => plainAddress(text) ?? []));

  const isChosen = (local: LocalAddress): boolean =>
    settings.interfaces.length === 0 ? !local.internal && !clients.has(local.address) : configured.has(local.address);

  return {
    get localAddresses() {
      return localsOf(system)
        .filter(isChosen)
        .map(({ address }) => address);
    },

    assertMayDial(text) {
      const ip = plainAddress(text);
      if (ip === undefined) throw new Fault("denied", `${text} is no IP address`);
      const why = refusal(ip);
      if (why !== undefined)
        throw new Fault("denied", `${ip} is not dialed: ${why}`, { tell: `the address is not dialed: ${why}` });
    },

    localAddressFor(text) {
      const ip = plainAddress(text);
      if (ip === undefined) return undefined;
      return localsOf(system).find((local) => isChosen(local) && new Networks([local.cidr]).has(ip))?.address;
    },
  };

  function refusal(ip: string): string | undefined {
    if (NEVER.has(ip)) return "no camera can be there";
    if (machines.has(ip)) return undefined;
    const locals = localsOf(system);
    if (locals.some(({ address, internal }) => address === ip && !internal)) return "it is our own address";
    // An address of our own stands for the whole network that it is on.
    const around = new Networks(locals.filter(({ address }) => own.has(address)).map(({ cidr }) => cidr));
    if (configured.has(ip) || around.has(ip)) return undefined;
    if (UNLIKELY.has(ip)) return "loopback and link-local networks are not configured as camera networks";
    const clientSide = new Networks(locals.filter(({ address }) => clients.has(address)).map(({ cidr }) => cidr));
    return clientSide.has(ip) ? "it is on a client-side network" : undefined;
  }
}

/** Our own addresses, each with the network that it is on. */
export function localsOf(system: typeof networkInterfaces): LocalAddress[] {
  return Object.values(system()).flatMap((addresses) =>
    (addresses ?? []).flatMap(({ address, cidr, internal }) => {
      const plain = plainAddress(address);
      const length = cidr?.split("/")[1];
      return plain === undefined || length === undefined
        ? []
        : [{ address: plain, cidr: `${plain}/${length}`, internal }];
    }),
  );
}

/**
 * The address to use where a camera names one: its own. Replaces the host of `uri` (0.0.0.0, loopback, another interface,
 * another host) by `ip`, drops user information, keeps port, path and query. `schemes` without colon, as `rtsp`.
 * Fault `invalid` for other schemes and for what is no address.
 */
export function pinnedToHost(uri: string, ip: string, schemes: readonly string[]): URL {
  const host = plainAddress(ip);
  if (host === undefined) throw new Fault("invalid", `${ip} is no IP address`);
  if (uri.length > LIMITS.uriLength) throw new Fault("invalid", `address of ${uri.length} characters`);
  // Not the URL parser for the host: what cameras put there (nothing, underscores, two colons) does not matter.
  const parts = /^([a-z][a-z0-9+.-]*):\/\/(?:[^/?#]*@)?(?:\[[^\]/?#]*\]|[^:/?#]*)(?::(\d{0,5}))?((?:[/?#].*)?)$/i.exec(
    uri.trim(),
  );
  const scheme = parts?.[1]?.toLowerCase() ?? "";
  const [port = "", rest = ""] = [parts?.[2], parts?.[3]];
  if (parts === null || /\p{Cc}/u.test(uri.trim()) || !schemes.includes(scheme) || Number(port) > 65_535)
    throw new Fault("invalid", `camera names an unusable address (scheme ${scheme || "missing"})`);
  const authority = (isIP(host) === 6 ? `[${host}]` : host) + (Number(port) > 0 ? `:${port}` : "");
  try {
    return new URL(`${scheme}://${authority}${rest}`);
  } catch (cause) {
    throw new Fault("invalid", "camera names an unusable address", { cause });
  }
}
