import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { api, type Volume } from "../api.ts";
import { Trouble, wordsOf } from "../parts.tsx";

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

/** The disks that recordings are on, and how they are. */
export function Storage(): JSX.Element {
  const [volumes, setVolumes] = useState<readonly Volume[] | undefined>(undefined);
  const [trouble, setTrouble] = useState<string | undefined>(undefined);
  useEffect(() => {
    let timer: number | undefined;
    let stopped = false;
    const load = async (): Promise<void> => {
      try {
        const found = await api.volumes();
        if (stopped) return;
        setVolumes(found);
        setTrouble(undefined);
      } catch (error) {
        if (stopped) return;
        setTrouble(wordsOf(error));
      }
      timer = window.setTimeout(() => void load(), REFRESH_MS);
    };
    void load();
    return () => {
      stopped = true;
      window.clearTimeout(timer);
    };
  }, []);
  return (
    <section aria-label="Storage">
      <Trouble text={trouble} />
      {volumes === undefined ? (
        trouble === undefined ? (
          <p class="loading">Looking at the disks…</p>
        ) : null
      ) : (
        <table>
          <thead>
            <tr>
              <th scope="col">Volume</th>
              <th scope="col">Used for</th>
              <th scope="col">State</th>
              <th scope="col">Recordings</th>
              <th scope="col">Free</th>
              <th scope="col">Streams now</th>
              <th scope="col">Folder</th>
            </tr>
          </thead>
          <tbody>
            {volumes.map((volume) => (
              <tr key={volume.name}>
                <th scope="row">{volume.name}</th>
                <td>{ROLES[volume.role]}</td>
                <td>
                  {STATES[volume.state]}
                  <Trouble text={volume.problem ?? undefined} />
                </td>
                <td>{gigabytes(volume.bytes)}</td>
                <td>{volume.freeBytes === null ? "unknown" : gigabytes(volume.freeBytes)}</td>
                <td>{volume.streams}</td>
                <td>{volume.folder}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(1)} GB`;
}
