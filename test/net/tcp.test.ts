import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer as createTlsServer } from "node:tls";
import { expect } from "chai";
import { systemClock } from "../../base/clock.ts";
import { isFault } from "../../base/fault.ts";
import { cameraSide } from "../../net/sides.ts";
import { type CameraTls, type DialOptions, dial } from "../../net/tcp.ts";
import { type Identity, loadIdentity, serverTlsOptions } from "../../net/tls.ts";
import { VirtualClock } from "../support/virtual-clock.ts";

const side = cameraSide({ interfaces: ["127.0.0.0/8"], clientAddresses: [] });

const to = (port: number, more: Partial<DialOptions> = {}): Promise<Socket> =>
  dial({ host: "127.0.0.1", port, side, clock: systemClock, timeoutMs: 5000, ...more });

function refuse(): never {
  throw new Error("the installer said no");
}

async function listening(server: Server, address = "127.0.0.1"): Promise<number> {
  server.listen(0, address);
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

async function faultOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    for (const kind of ["denied", "unavailable", "invalid"] as const) if (isFault(error, kind)) return kind;
    throw error;
  }
  return "none";
}

describe("dialing a camera", () => {
  const open: { close(): unknown }[] = [];
  let folder = "";
  let identity: Identity;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "viaduct-tcp-"));
    identity = await loadIdentity(folder, [], systemClock);
  });
  after(() => rm(folder, { recursive: true }));
  afterEach(() => {
    for (const one of open.splice(0)) one.close();
  });

  function serve(server: Server, address?: string): Promise<number> {
    const sockets = new Set<Socket>();
    server.on("connection", (socket: Socket) => {
      sockets.add(socket);
      socket.on("error", () => undefined);
    });
    open.push({ close: () => [...sockets].map((socket) => socket.destroy()) }, server);
    return listening(server, address);
  }
  it("connects", async () => {
    const port = await serve(createServer((socket) => socket.end("hello")));
    const socket = await to(port);
    const [data] = (await once(socket, "data")) as [Buffer];
    expect(data.toString()).to.equal("hello");
    socket.destroy();
  });

  for (const way of ["TCP", "TLS"])
    it(`reads into one place over ${way}, nothing before it is resumed, and sees the end`, async () => {
      const server = way === "TLS" ? createTlsServer(serverTlsOptions(identity)) : createServer();
      const port = await serve(server);
      const come: Buffer[][] = [[], []];
      const said = (index: number): Buffer => Buffer.alloc(300_000, index + 1);
      const sockets: Socket[] = [];
      for (const [index, mine] of come.entries()) {
        const accepted = once(server, way === "TLS" ? "secureConnection" : "connection");
        const onData = (bytes: Buffer): void => void mine.push(Buffer.from(bytes));
        sockets.push(await to(port, { onData, ...(way === "TLS" ? { tls: { onPin: () => undefined } } : {}) }));
        const [other] = (await accepted) as [Socket];
        other.end(said(index));
      }
      expect(come.flat()).to.deep.equal([]);
      const ended = sockets.map((socket) => once(socket, "close"));
      for (const socket of sockets) socket.resume();
      await Promise.all(ended);
      for (const [index, mine] of come.entries()) expect(Buffer.concat(mine).equals(said(index))).to.equal(true);
    });

  it("refuses an address that the camera side forbids, before anything is sent", async () => {
    const nowhere = cameraSide({ interfaces: [], clientAddresses: [] });
    expect(await faultOf(to(9, { side: nowhere }))).to.equal("denied");
    expect(await faultOf(to(9, { host: "localhost" }))).to.equal("denied");
  });

  it("is unavailable where nobody listens", async () => {
    const server = createServer();
    const port = await listening(server);
    server.close();
    await once(server, "close");
    expect(await faultOf(to(port))).to.equal("unavailable");
  });

  it("gives up at the deadline, and leaves no timer", async () => {
    const clock = new VirtualClock();
    // Accepts and says nothing: the TLS handshake never ends.
    const port = await serve(createServer());
    const dialed = faultOf(to(port, { clock, timeoutMs: 3000, tls: { pin: "x" } }));
    await clock.advance(3000);
    expect(await dialed).to.equal("unavailable");
    expect(clock.pending).to.equal(0);
  });

  it("is called off by its signal", async () => {
    const port = await serve(createServer());
    const stop = new AbortController();
    const dialed = faultOf(to(port, { tls: { pin: "x" }, signal: stop.signal }));
    stop.abort();
    expect(await dialed).to.equal("unavailable");
    expect(await faultOf(to(port, { signal: stop.signal }))).to.equal("unavailable");
  });

  describe("over TLS", () => {
    let received: number;
    async function camera(address?: string): Promise<number> {
      received = 0;
      const server = createTlsServer(serverTlsOptions(identity), (socket) => {
        socket.on("error", () => undefined);
        socket.on("data", (data: Buffer) => {
          received += data.length;
          socket.write(data);
        });
      });
      server.on("tlsClientError", () => undefined);
      return serve(server, address);
    }
    async function echo(tls: CameraTls): Promise<string> {
      const socket = await to(await camera(), { tls });
      socket.write("ping");
      const [data] = (await once(socket, "data")) as [Buffer];
      socket.destroy();
      return data.toString();
    }
    async function pinOf(): Promise<string> {
      let pin = "";
      (await to(await camera(), { tls: { onPin: (spki) => (pin = spki) } })).destroy();
      return pin;
    }

    it("tells the key on first use, and knows it again", async () => {
      const pin = await pinOf();
      expect(pin).to.match(/^[A-Za-z0-9+/]{43}=$/);
      expect(await echo({ pin })).to.equal("ping");
    });

    it("refuses another key and sends nothing", async () => {
      expect(await faultOf(to(await camera(), { tls: { pin: "AAAA" } }))).to.equal("denied");
      expect(received).to.equal(0);
    });

    it("refuses when there is nothing to know the camera by", async () => {
      expect(await faultOf(to(await camera(), { tls: {} }))).to.equal("denied");
    });

    it("takes the site's own authority, for the address that is dialed only", async () => {
      expect(await echo({ ca: identity.cert })).to.equal("ping");
      // The certificate names 127.0.0.1 alone.
      expect(await faultOf(to(await camera("127.0.0.2"), { host: "127.0.0.2", tls: { ca: identity.cert } }))).to.equal(
        "denied",
      );
    });

    it("refuses a camera that the site's authority did not sign", async () => {
      const other = await mkdtemp(join(tmpdir(), "viaduct-tcp-"));
      const { cert } = await loadIdentity(other, [], systemClock);
      await rm(other, { recursive: true });
      expect(await faultOf(to(await camera(), { tls: { ca: cert } }))).to.equal("denied");
    });

    it("does not connect when first use is refused by its listener", async () => {
      expect(await faultOf(to(await camera(), { tls: { onPin: refuse } }))).to.equal("unavailable");
      expect(received).to.equal(0);
    });
  });
});
