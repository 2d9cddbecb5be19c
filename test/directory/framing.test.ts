import { connect, createServer, type Socket } from "node:net";
import { expect } from "chai";
import * as fc from "fast-check";
import { isFault } from "../../base/fault.ts";
import { Secret } from "../../base/secret.ts";
import { assertWhole } from "../../directory/ber.ts";
import { Connection } from "../../directory/connection.ts";
import { Frames, LdapStream } from "../../directory/framing.ts";
import { type Answer, element, integer, LDAP_OK, octets, sequence } from "../support/ldap-server.ts";
import { VirtualClock } from "../support/virtual-clock.ts";

const MESSAGE = sequence(
  integer(7),
  element(0x64, octets("dc=x"), sequence(sequence(octets("cn"), element(0x31, octets("a"))))),
);

describe("LDAP messages", () => {
  it("are put together wherever they are cut", () => {
    const stream = Buffer.concat([MESSAGE, MESSAGE, MESSAGE]);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: stream.length - 1 })), (cuts) => {
        const frames = new Frames();
        const ends = [...new Set(cuts), stream.length].toSorted((a, b) => a - b);
        const messages = ends.flatMap((end, at) => frames.push(stream.subarray(at === 0 ? 0 : ends[at - 1], end)));
        expect(messages.map((message) => message.toString("hex"))).to.deep.equal(
          Array(3).fill(MESSAGE.toString("hex")),
        );
        expect(frames.pending).to.equal(0);
      }),
    );
  });

  it("are never anything but whole or refused", () => {
    fc.assert(
      fc.property(fc.nat(MESSAGE.length - 1), fc.nat(255), (at, value) => {
        const changed = Buffer.from(MESSAGE);
        changed[at] = value;
        try {
          for (const message of new Frames().push(changed)) assertWhole(message);
        } catch (error) {
          if (!isFault(error, "invalid")) throw error;
        }
      }),
    );
  });

  for (const [name, bytes] of [
    ["a message longer than any entry", Buffer.from("3084ffffffff", "hex")],
    ["an indefinite length", Buffer.from("3080020107", "hex")],
    ["something that is no sequence", Buffer.from("HTTP/1.1 400 Bad Request\r\n")],
    [
      "an element that is longer than what it is in",
      sequence(integer(7), Buffer.from("64050405", "hex"), octets("abc")),
    ],
    ["a tag of several bytes", sequence(Buffer.from("1f8101", "hex"))],
    ["elements nested without end", Array.from({ length: 60 }).reduce<Buffer>((inner) => sequence(inner), integer(1))],
  ] as const)
    it(`refuses ${name}`, () => {
      expect(() => new Frames().push(bytes))
        .to.throw()
        .with.property("kind", "invalid");
    });
});

describe("a directory server that is hostile", () => {
  const sockets: Socket[] = [];
  afterEach(() => {
    for (const socket of sockets.splice(0)) socket.destroy();
  });

  async function connectedTo(answer: Answer): Promise<{ connection: Connection; close: () => void }> {
    const server = createServer((socket) => {
      sockets.push(socket);
      socket.on("error", () => undefined);
      socket.on("data", (request: Buffer) => socket.write(answer(request)));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as { port: number };
    const socket = connect(port, "127.0.0.1");
    await new Promise((resolve) => socket.once("connect", resolve));
    return {
      connection: new Connection(new LdapStream(socket), new VirtualClock()),
      close: () => server.close(),
    };
  }

  for (const [name, answer] of [
    // Each of these ends or hangs a process that hands the bytes to ldapts as they come.
    ["sends twenty thousand short messages at once", () => Buffer.concat(Array(20_000).fill(LDAP_OK(99)))],
    [
      "says that an entry's attributes are longer than the message",
      () => sequence(integer(2), element(0x64, octets("dc=x"), Buffer.from("307f", "hex"))),
    ],
    ["answers with a page of HTML", () => Buffer.from("<html>")],
    ["answers with what is no answer", () => sequence(integer(2), element(0x42))],
    ["closes the connection", () => Buffer.alloc(0)],
  ] as const satisfies readonly (readonly [string, Answer])[])
    it(`fails alone: it ${name}`, async () => {
      const { connection, close } = await connectedTo(answer);
      const read = connection.read("dc=x", ["cn"]);
      // Some of these say nothing that could be refused: the time limit's turn, which is the clock's.
      setTimeout(() => connection.close(), 50);
      const error = await read.then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      expect(error).to.have.property("name", "Fault");
      close();
    });

  it("is asked for bytes as they are written, and for text in UTF-8", async () => {
    const requests: Buffer[] = [];
    const { connection, close } = await connectedTo((request) => {
      requests.push(request);
      return LDAP_OK(requests.length + 1);
    });
    const search = async (filter: string): Promise<Buffer> => {
      await Array.fromAsync(connection.search({ base: "dc=x", filter, attributes: ["cn"] }));
      return requests.at(-1) ?? Buffer.alloc(0);
    };
    const bytes = Buffer.from("ff01c3a9", "hex");
    expect(
      (await search("(|(objectGUID=\\ff\\01\\c3\\a9)(!(a=b)))")).includes(Buffer.concat([Buffer.from([4, 4]), bytes])),
    ).to.equal(true);
    for (const filter of ["(cn=Søren)", "(cn=Sø*en*ø)", "(cn>=Søren)", "(cn:2.5.13.2:=Søren)"])
      expect((await search(filter)).includes(Buffer.from("Sø")), filter).to.equal(true);
    connection.close();
    close();
  });

  it("is not asked with an empty password, which some take for nobody's and let in", async () => {
    let asked = false;
    const { connection, close } = await connectedTo(() => {
      asked = true;
      return LDAP_OK(2);
    });
    const error = await connection.bind("cn=alice", new Secret("")).catch((thrown: unknown) => thrown);
    expect([error, asked]).to.deep.equal([error, false]);
    expect(error).to.have.property("refusal", "wrong");
    connection.close();
    close();
  });
});
