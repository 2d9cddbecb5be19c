import type { Socket } from "node:net";
import { Duplex } from "node:stream";
import { isDeepStrictEqual } from "node:util";
import { systemClock } from "../../base/clock.ts";
import { Connection } from "../../directory/connection.ts";
import { Frames, LdapStream } from "../../directory/framing.ts";
import { PRESETS } from "../../directory/options.ts";
import { personOf } from "../../directory/person.ts";
import { cutUp, holds, type Target, target } from "../target.ts";

/** A server that answers the first request with these bytes, and hangs up. */
function answering(bytes: Buffer): Socket {
  const socket = new Duplex({
    read: () => undefined,
    write(_chunk, _encoding, done) {
      done();
      socket.push(bytes);
      socket.push(null);
      setImmediate(() => socket.destroy());
    },
  });
  return socket as unknown as Socket;
}

export const TARGETS: readonly Target[] = [
  target({
    name: "ldap",
    words: "\x30\x84 \x02\x01\x02 \x64\x2d \x65\x0c \x73 \x04\x00 \x0a\x01\x00 \xa0 \x31 objectGUID sAMAccountName cn",
    refusals: ["invalid", "unavailable"],
    async run(input) {
      const whole = new Frames().push(input);
      const frames = new Frames();
      const cut = cutUp(input).flatMap((piece) => frames.push(piece));
      holds(isDeepStrictEqual(cut, whole), "it does not matter where the bytes are cut");
      const connection = new Connection(new LdapStream(answering(input)), systemClock);
      const search = { base: "dc=x", filter: "(cn=a)", attributes: ["objectGUID", "sAMAccountName"] };
      for await (const entry of connection.search(search)) personOf(entry, "ad", PRESETS.ad.attributes);
    },
  }),
];
