import { networkInterfaces } from "node:os";
import { Networks, plainAddress } from "../base/address.ts";
import { Fault } from "../base/fault.ts";
import { type Dialing, localsOf, NEARBY, NEVER } from "./sides.ts";

/**
 * Where events may be sent: the addresses and networks of `listed`. A large network does not name what is special in it: loopback,
 * link-local networks, our own addresses and those of cameras are meant only by an entry that lies wholly inside of them. Metadata
 * services, multicast and unspecified addresses are never meant. `cameraInterfaces` and `system` as for {@link cameraSide}.
 */
export function consumerSide(
  o: { readonly listed: readonly string[]; readonly cameraInterfaces: readonly string[] },
  system: typeof networkInterfaces = networkInterfaces,
): Dialing {
  const listed = new Networks(o.listed);
  const special = (): readonly string[] => {
    const locals = localsOf(system);
    const cameras = o.cameraInterfaces.map((text) =>
      text.includes("/") ? text : (locals.find(({ address }) => address === plainAddress(text))?.cidr ?? text),
    );
    return [...NEARBY, ...cameras, ...locals.map(({ address }) => address)];
  };
  const refusal = (ip: string): string | undefined => {
    if (NEVER.has(ip)) return "nobody can be there";
    if (!listed.has(ip)) return "it is not listed";
    for (const network of special()) {
      if (!new Networks([network]).has(ip)) continue;
      if (!o.listed.some((entry) => isInside(entry, network) && new Networks([entry]).has(ip)))
        return `it is in ${network}, which is not listed by itself`;
    }
    return undefined;
  };
  return {
    assertMayDial(text) {
      const ip = plainAddress(text);
      if (ip === undefined) throw new Fault("denied", `${text} is no IP address`);
      const why = refusal(ip);
      if (why !== undefined) throw new Fault("denied", `nothing is sent to ${ip}: ${why}`);
    },
    localAddressFor: () => undefined,
  };
}

/** Where one server may be. An address that is configured is meant, whatever it is; what a name leads to is not taken for a camera. */
export function serverSide(host: string, cameraInterfaces: readonly string[]): Dialing {
  const literal = plainAddress(host.replace(/^\[(.*)\]$/, "$1"));
  return consumerSide({ listed: literal === undefined ? ["0.0.0.0/0", "::/0"] : [literal], cameraInterfaces });
}

/** Whether all of one network is part of the other. */
function isInside(inner: string, outer: string): boolean {
  const [address, length] = partsOf(inner);
  return address !== undefined && length >= partsOf(outer)[1] && new Networks([outer]).has(address);
}

function partsOf(network: string): readonly [address: string | undefined, length: number] {
  const [text = "", length] = network.split("/");
  const address = plainAddress(text);
  return [address, Number(length ?? (address?.includes(":") === true ? 128 : 32))];
}
