// Who writes: an id random per life that also lets another process of the same machine prove that this one has ended.
import { randomBytes } from "node:crypto";
import { readFileSync, readlinkSync } from "node:fs";

/**
 * Where a process stands: boot of the kernel, PID namespace, time namespace (start times are told in it), process id
 * and start time in clock ticks since the boot. Ids of processes and namespaces are used again, start times are not.
 */
interface Place {
  readonly boot: string;
  readonly pidNamespace: string;
  readonly timeNamespace: string;
  readonly pid: number;
  readonly started: string;
}

const WRITER = /^([0-9a-f]{32})(?:\.([0-9a-f]{32})\.([0-9]{1,20})\.([0-9]{1,20})\.([0-9]{1,10})\.([0-9]{1,20}))?$/;

/**
 * The id under which this life of the process appends. Where `/proc` is not Linux's or shows another namespace, it is
 * only random, and then nobody can prove its end.
 */
export function createWriterId(): string {
  const random = randomBytes(16).toString("hex");
  const place = here();
  if (place === undefined) return random;
  return [random, place.boot, place.pidNamespace, place.timeNamespace, place.pid, place.started].join(".");
}

/** True only with proof: same boot, same namespaces, and the process is gone, another one, or dead and not yet reaped. */
export function hasEnded(writer: string): boolean {
  const match = WRITER.exec(writer);
  const [, , boot, pidNamespace, timeNamespace, pid, started] = match ?? [];
  const mine = here();
  if (mine === undefined || pid === undefined) return false;
  if (boot !== mine.boot || pidNamespace !== mine.pidNamespace || timeNamespace !== mine.timeNamespace) return false;
  if (!exists(Number(pid))) return true;
  const stat = readStat(Number(pid));
  if (stat === undefined) return false;
  return stat.started !== started || stat.dead;
}

/** Whether text is an id that `createWriterId` makes. */
export function isWriterId(text: string): boolean {
  return WRITER.test(text);
}

/** undefined where the place cannot be told for certain: not Linux, or `/proc` of another namespace. */
function here(): Place | undefined {
  try {
    if (readlinkSync("/proc/self") !== String(process.pid)) return undefined;
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim().replaceAll("-", "");
    const pidNamespace = namespace("pid");
    const timeNamespace = namespace("time");
    const stat = readStat(process.pid);
    if (stat === undefined || !/^[0-9a-f]{32}$/.test(boot)) return undefined;
    return { boot, pidNamespace, timeNamespace, pid: process.pid, started: stat.started };
  } catch {
    // No proof is possible here: the id stays random, and its lease is waited for.
    return undefined;
  }
}

/** Inode of a namespace; kernels before 5.6 have no time namespaces, which is as good as all in one. */
function namespace(kind: "pid" | "time"): string {
  try {
    return /\[([0-9]+)\]/.exec(readlinkSync(`/proc/self/ns/${kind}`))?.[1] ?? "0";
  } catch (thrown) {
    if (kind === "time") return "0";
    throw thrown;
  }
}

/** Asks the kernel, not `/proc`, which may hide processes of other users. */
function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (thrown) {
    return !(thrown instanceof Error && "code" in thrown && thrown.code === "ESRCH");
  }
}

/** Fields 3, 20 and 22 of proc(5) `stat`; they are counted after the name, which may hold spaces and parentheses. */
function readStat(pid: number): { readonly started: string; readonly dead: boolean } | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    const [state, threads, started] = [fields[0], Number(fields[17]), fields[19]];
    if (started === undefined) return undefined;
    // A zombie whose other threads still run may still write.
    return { started, dead: (state === "Z" || state === "X") && threads <= 1 };
  } catch {
    // Hidden, or gone since: the next question is answered by `exists`.
    return undefined;
  }
}
