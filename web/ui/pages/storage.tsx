import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { api, type Volume, type Volumes } from "../api.ts";
import { Removal, sentence, sizeWords, Trouble, wordsOf } from "../parts.tsx";

/** Until the next look. */
const REFRESH_MS = 5000;

const ROLES: Readonly<Record<Volume["role"], string>> = {
  hot: "recorded to",
  spare: "where no other can be written",
  archive: "older recordings",
};

const STATES: Readonly<Record<Volume["state"], string>> = {
  here: "good",
  away: "not there",
  failing: "cannot be written",
  full: "full",
};

/** What may be given up: the name of a volume, and what is on it. */
type Lost = Pick<Volume, "name" | "bytes">;

/** The disks that recordings are on, how they are, and giving up one that is lost. */
export function Storage(): JSX.Element {
  const [found, setFound] = useState<Volumes | undefined>(undefined);
  const [trouble, setTrouble] = useState<string | undefined>(undefined);
  const [lost, setLost] = useState<Lost | undefined>(undefined);
  const look = (): Promise<void> =>
    api.volumes().then(
      (volumes) => {
        setFound(volumes);
        setTrouble(undefined);
      },
      (error: unknown) => setTrouble(wordsOf(error)),
    );
  useEffect(() => {
    let timer: number | undefined;
    let stopped = false;
    const loop = async (): Promise<void> => {
      await look();
      if (!stopped) timer = window.setTimeout(() => void loop(), REFRESH_MS);
    };
    void loop();
    return () => {
      stopped = true;
      window.clearTimeout(timer);
    };
  }, []);
  const forget = async ({ name }: Lost): Promise<void> => {
    await api.forgetVolume(name);
    await look();
  };
  return (
    <section aria-label="Storage">
      <Trouble text={trouble} />
      {found !== undefined ? (
        <Table found={found} onForget={setLost} />
      ) : trouble === undefined ? (
        <p class="loading">Looking at the disks…</p>
      ) : null}
      {found?.volumes.length === 1 ? (
        <p class="hint">
          There is one disk: when it fails, nothing is recorded until it is back. Further ones are named in the
          configuration file, under <code>recording.volumes</code>.
        </p>
      ) : null}
      {lost === undefined ? null : (
        <Removal
          title={`Forget ${lost.name}?`}
          verb="Forget"
          onRemove={() => forget(lost)}
          onClose={() => setLost(undefined)}
        >
          {sizeWords(lost.bytes)} of recordings are on it. They are told as missing from then on. Do this where the disk
          will not come back; nothing is deleted on it.
        </Removal>
      )}
    </section>
  );
}

function Table(props: { readonly found: Volumes; readonly onForget: (lost: Lost) => void }): JSX.Element {
  const { volumes, unnamed } = props.found;
  const forget = (lost: Lost): JSX.Element => (
    <button type="button" class="danger" aria-label={`Forget ${lost.name}…`} onClick={() => props.onForget(lost)}>
      Forget…
    </button>
  );
  return (
    <table>
      <thead>
        <tr>
          <th scope="col">Volume</th>
          <th scope="col">Used for</th>
          <th scope="col">State</th>
          <th scope="col">Recordings</th>
          <th scope="col">Free</th>
          <th scope="col" class="size">
            Streams now
          </th>
          <td />
        </tr>
      </thead>
      <tbody>
        {volumes.map((volume) => (
          <tr key={volume.name}>
            <th scope="row">
              {volume.name}
              <small class="line">{volume.folder}</small>
            </th>
            <td>{ROLES[volume.role]}</td>
            <td>
              <span class={volume.state === "here" ? undefined : "bad"}>{STATES[volume.state]}</span>
              {volume.problem === null ? null : <small class="line">{sentence(volume.problem)}</small>}
            </td>
            <td class="size">
              {sizeWords(volume.bytes)}
              {volume.maxBytes === null ? null : <small class="line">of {sizeWords(volume.maxBytes)} at most</small>}
            </td>
            <td class="size">{volume.freeBytes === null ? "unknown" : sizeWords(volume.freeBytes)}</td>
            <td>{volume.streams}</td>
            <td class="end">
              {volume.state === "away" && volume.segments > 0 && volume.name !== "main" ? forget(volume) : null}
            </td>
          </tr>
        ))}
        {unnamed.map((volume) => (
          <tr key={volume.name}>
            <th scope="row">{volume.name}</th>
            <td>not in the settings</td>
            <td>
              <span class="bad">not there</span>
            </td>
            <td class="size">{sizeWords(volume.bytes)}</td>
            <td>unknown</td>
            <td>0</td>
            <td class="end">{forget(volume)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
