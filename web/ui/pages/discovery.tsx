import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { api, type DiscoveryEvent, type Find, listen, type Scan } from "../api.ts";
import { Empty, Field, Trouble, useTask, wordsOf } from "../parts.tsx";
import { Adoption, type Wanted } from "./adoption.tsx";

/** Cameras that answer on the camera networks, and the form that makes one ours. */
export function Discovery(props: { readonly onAdopted: () => void }): JSX.Element {
  const [finds, setFinds] = useState<ReadonlyMap<string, Find>>(new Map());
  const [scan, setScan] = useState<Scan | undefined>(undefined);
  const [steps, setSteps] = useState<ReadonlyMap<string, string>>(new Map());
  const [targets, setTargets] = useState("");
  const [wanted, setWanted] = useState<Wanted | undefined>(undefined);
  const [trouble, setTrouble] = useState<string | undefined>(undefined);
  const task = useTask();

  const load = async (): Promise<void> => {
    try {
      const state = await api.discovery();
      setFinds(new Map(state.finds.map((find) => [find.id, find])));
      setScan(state.scan);
      setTrouble(undefined);
    } catch (error) {
      setTrouble(wordsOf(error));
    }
  };
  const take = (event: DiscoveryEvent): void => {
    if (event.type === "found") setFinds((before) => new Map(before).set(event.find.id, event.find));
    else if (event.type === "scan") setScan(event.scan);
    else setSteps((before) => new Map(before).set(event.id, event.step));
  };
  useEffect(() => {
    void load();
    return listen(take, () => void load());
  }, []);

  const start = (event: Event): void => {
    event.preventDefault();
    task.run(async () => {
      await api.scan(targets.split(/[\s,]+/).filter((target) => target !== ""));
    });
  };
  const list = [...finds.values()].sort((a, b) => a.ip.localeCompare(b.ip, "en", { numeric: true }));
  const running = scan?.running === true;
  return (
    <section aria-label="Discovery">
      <form class="bar" onSubmit={start}>
        <Field label="Also ask these addresses or ranges" hint="For cameras behind a router: 10.1.4.20, 10.1.5.0/24">
          <input
            value={targets}
            placeholder="optional"
            spellcheck={false}
            onInput={(event) => setTargets(event.currentTarget.value)}
          />
        </Field>
        <button type="submit" class="primary" disabled={running || task.busy}>
          {running ? "Scanning…" : "Scan"}
        </button>
        <button type="button" onClick={() => setWanted("rtsp")}>
          Add by address…
        </button>
      </form>
      <Trouble text={trouble ?? task.trouble ?? scan?.failure} />
      <Progress scan={scan} found={list.length} />
      {list.length === 0 && !running ? (
        <Empty title="Nothing found yet">
          <p>Scan to ask the camera networks. A camera that does not answer can be added by its RTSP address.</p>
        </Empty>
      ) : (
        <table>
          <thead>
            <tr>
              <th scope="col">Camera</th>
              <th scope="col">Address</th>
              <th scope="col">Model</th>
              <th scope="col">Place</th>
              <th scope="col" />
            </tr>
          </thead>
          <tbody>
            {list.map((find) => (
              <tr key={find.id}>
                <td>{find.name ?? "unnamed"}</td>
                <td>
                  <code>{find.ip}</code>
                </td>
                <td>{find.hardware ?? ""}</td>
                <td>{find.location ?? ""}</td>
                <td class="end">
                  {find.adoptedAs === undefined ? (
                    <button type="button" onClick={() => setWanted({ find })}>
                      Adopt…
                    </button>
                  ) : (
                    <span class="done">adopted</span>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {wanted === undefined ? null : (
        <Adoption
          wanted={wanted}
          steps={steps}
          onClose={() => setWanted(undefined)}
          onAdopted={() => {
            setWanted(undefined);
            props.onAdopted();
          }}
        />
      )}
    </section>
  );
}

function Progress({ scan, found }: { readonly scan: Scan | undefined; readonly found: number }): JSX.Element | null {
  if (scan?.startedAt === undefined) return null;
  const cameras = found === 1 ? "1 camera" : `${found} cameras`;
  if (!scan.running) return <p class="hint">{`The last scan is done: ${cameras} in the list.`}</p>;
  return (
    <div class="progress" role="status">
      {scan.total > 0 ? <progress value={scan.probed} max={scan.total} /> : <progress />}
      <span>
        {scan.total > 0
          ? `${scan.probed} of ${scan.total} addresses asked, ${cameras}`
          : `Listening on the camera networks, ${cameras}`}
      </span>
    </div>
  );
}
