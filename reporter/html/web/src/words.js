// Numbers and names as a person reads them.

const kindWords = {
  process: ["process", "processes"],
  sysv_shared_memory: ["System V segment", "System V segments"],
  sysv_semaphore: ["System V semaphore set", "System V semaphore sets"],
  sysv_message_queue: ["System V queue", "System V queues"],
  shared_memory: ["shared memory object", "shared memory objects"],
  temporary_directory: ["temporary folder", "temporary folders"],
};

export function kindName(kind, count = 1) {
  const words = kindWords[kind];
  if (words) return words[count === 1 ? 0 : 1];
  return kind.replaceAll("_", " ") + (count === 1 ? "" : "s");
}

export function number(value) {
  return value.toLocaleString("en-US");
}

export function size(bytes) {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  while (bytes >= 1024 && unit < units.length - 1) {
    bytes /= 1024;
    ++unit;
  }
  return `${unit === 0 || bytes >= 100 ? Math.round(bytes) : bytes.toFixed(1)} ${units[unit]}`;
}

export function seconds(value) {
  if (value < 10) return `${value.toFixed(3)} s`;
  if (value < 120) return `${value.toFixed(1)} s`;
  if (value < 7200) return `${Math.floor(value / 60)} min ${Math.round(value % 60)} s`;
  return `${Math.floor(value / 3600)} h ${Math.round((value % 3600) / 60)} min`;
}

export function moment(milliseconds) {
  return milliseconds === null ? "" : new Date(milliseconds).toISOString().replace("T", " ").replace("Z", " UTC");
}

export const statusWords = {
  leaked: "left over",
  cleaned: "cleaned up",
  in_use: "in use by others",
  failed: "could not be cleaned up",
  suppressed: "suppressed",
  baseline: "in the baseline",
};
