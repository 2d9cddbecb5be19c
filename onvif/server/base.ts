import type { IncomingMessage } from "node:http";

/** How a client reached us. Every address that we tell it is made from this. */
export interface Base {
  /** As it stands in a URL: a name, an IPv4 address, or an IPv6 address in brackets. */
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
  /** The address of our side of the connection, without brackets. */
  readonly localAddress: string;
  /** What stands before the paths of the services of this device, below `/onvif/`: empty, or with a `/` at its end. */
  readonly prefix: string;
}

/**
 * The address that the client connected to. The Host field is the client's own word: a proxy or an attacker can write
 * anything into it, so it counts only where it names one of `publicHosts` (lower case, without port).
 */
export function baseOf(request: IncomingMessage, publicHosts: ReadonlySet<string>, prefix = ""): Base {
  const { socket } = request;
  const localAddress = (socket.localAddress ?? "127.0.0.1").replace(/^::ffff:(?=\d+\.)/, "");
  const tls = "encrypted" in socket && socket.encrypted === true;
  const port = socket.localPort ?? (tls ? 443 : 80);
  const named = /^(\[[0-9a-f:.]+\]|[a-z0-9.-]+)(?::(\d{1,5}))?$/.exec((request.headers.host ?? "").toLowerCase());
  const name = named?.[1];
  if (name !== undefined && publicHosts.has(name))
    return { host: name, port: Number(named?.[2] ?? (tls ? 443 : 80)), tls, localAddress, prefix };
  // Of the addresses that a socket has, those of IPv6 alone have colons: asking Node.js what it is takes longer than all else here.
  return { host: localAddress.includes(":") ? `[${localAddress}]` : localAddress, port, tls, localAddress, prefix };
}

/** The address of a service as the client can reach it. */
export function addressOf(base: Base, path: string): string {
  const usual = base.port === (base.tls ? 443 : 80);
  return `${base.tls ? "https" : "http"}://${base.host}${usual ? "" : `:${base.port}`}/onvif/${base.prefix}${path}`;
}
