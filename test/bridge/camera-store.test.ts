import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { openDatabase } from "../../base/database.ts";
import type { Fault } from "../../base/fault.ts";
import { Sealer } from "../../base/seal.ts";
import { Secret } from "../../base/secret.ts";
import { unixMillis } from "../../base/units.ts";
import {
  type CameraRecord,
  type CameraSchema,
  CameraStore,
  cameraIdFor,
  cameraMigrations,
} from "../../bridge/camera-store.ts";

const gate: CameraRecord = {
  id: "gate",
  number: 1,
  name: "Gate",
  manufacturer: "Maker",
  model: undefined,
  serial: "1",
  ip: "10.0.0.9",
  streamUrl: "rtsp://10.0.0.9:554/main",
  deviceUrl: "http://10.0.0.9/onvif/device_service",
  credentials: { user: "service", password: new Secret("pass wörd") },
  tlsPin: undefined,
  transport: "udp",
  workedTransport: undefined,
  adoptedAt: unixMillis(1_700_000_000_000),
};

describe("the camera store", () => {
  it("gives back what was saved, with the password sealed in the file", async () => {
    const database = await openDatabase<CameraSchema>(":memory:", cameraMigrations);
    const store = new CameraStore(database.query, new Sealer(Buffer.alloc(32, 7)));
    await store.add(gate);
    expect(await store.add({ ...gate, id: "open", credentials: undefined })).to.equal(2);
    const [first, second] = await store.list();
    expect({ ...first, credentials: first?.credentials?.password.reveal() }).to.deep.equal({
      ...gate,
      credentials: "pass wörd",
    });
    expect(second?.credentials).to.equal(undefined);
    const rows = await database.query.selectFrom("camera").selectAll().execute();
    expect(JSON.stringify(rows)).not.to.include("pass w");
    await store.remove("gate");
    expect((await store.list()).map(({ id }) => id)).to.deep.equal(["open"]);
    expect(await store.retired()).to.deep.equal(new Set(["gate"]));
    expect(await store.remove("gate").catch((error: unknown) => (error as Fault).kind)).to.equal("not-found");
    await database.close();
  });
});

describe("the transport of a camera", () => {
  const reopened = async (act: (store: CameraStore) => Promise<void>): Promise<CameraRecord | undefined> => {
    const database = await openDatabase<CameraSchema>(":memory:", cameraMigrations);
    const store = new CameraStore(database.query, new Sealer(Buffer.alloc(32, 7)));
    await store.add(gate);
    await act(store);
    const [record] = await store.list();
    await database.close();
    return record;
  };

  it("is what was set, beside what worked", async () => {
    const record = await reopened(async (store) => {
      await store.setTransport("gate", "tcp");
      await store.rememberTransport("gate", "udp");
    });
    expect(record).to.include({ transport: "tcp", workedTransport: "udp" });
  });

  it("is automatic for cameras that were adopted before there was a choice", async () => {
    const folder = await mkdtemp(join(tmpdir(), "viaduct-store-"));
    const path = join(folder, "old.db");
    const before = Object.fromEntries(Object.entries(cameraMigrations).filter(([name]) => name < "camera-0003"));
    const old = await openDatabase<CameraSchema>(path, before);
    const row = { id: "old", name: "Old", ip: "10.0.0.8", stream_url: "rtsp://10.0.0.8/", adopted_at_ms: 1 };
    await old.query
      .insertInto("camera")
      .values(row as CameraSchema["camera"])
      .execute();
    await old.close();
    const database = await openDatabase<CameraSchema>(path, cameraMigrations);
    const [record] = await new CameraStore(database.query, new Sealer(Buffer.alloc(32, 7))).list();
    expect(record).to.include({ id: "old", number: 1, transport: "auto", workedTransport: undefined });
    await database.close();
    await rm(folder, { recursive: true });
  });

  it("cannot be set for a camera that is none, and is not remembered for one that is gone", async () => {
    const record = await reopened(async (store) => {
      expect(await store.setTransport("none", "tcp").catch((error: unknown) => (error as Fault).kind)).to.equal(
        "not-found",
      );
      await store.rememberTransport("none", "udp");
    });
    expect(record).to.include({ transport: "udp", workedTransport: undefined });
  });
});

describe("the number of a camera", () => {
  it("is the lowest that no other camera has, and stays", async () => {
    const database = await openDatabase<CameraSchema>(":memory:", cameraMigrations);
    const store = new CameraStore(database.query, new Sealer(Buffer.alloc(32, 7)));
    const add = (id: string): Promise<number> => store.add({ ...gate, id });
    expect([await add("a"), await add("b"), await add("c")]).to.deep.equal([1, 2, 3]);
    await store.remove("b");
    expect([await add("d"), await add("e")]).to.deep.equal([2, 4]);
    const numbers = (await store.list()).map(({ id, number }) => `${id} ${number}`);
    expect(numbers).to.have.members(["a 1", "c 3", "d 2", "e 4"]);
    await database.close();
  });
});

describe("a camera id", () => {
  const rows: readonly (readonly [name: string, taken: readonly string[], id: string])[] = [
    ["Front Door", [], "front-door"],
    ["Front Door", ["front-door"], "front-door-2"],
    ["Front Door", ["front-door", "front-door-2"], "front-door-3"],
    ["Tür Süd", [], "tu-r-su-d"],
    ["../../etc/passwd", [], "etc-passwd"],
    ["東京", [], "camera"],
    ["", ["camera"], "camera-2"],
    ["x".repeat(200), [], "x".repeat(48)],
  ];
  for (const [name, taken, id] of rows)
    it(`of "${name.slice(0, 20)}" is ${id.slice(0, 20)} where ${taken.length} are taken`, () => {
      expect(cameraIdFor(name, (one) => taken.includes(one))).to.equal(id);
    });
});
