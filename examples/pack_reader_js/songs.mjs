// Titles and tags (section 7 of docs/pack-format.md). Needs node:sqlite of Node 22.15 or newer; without it there are none, and
// all songs count as equally well tagged.
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

export async function readTags(folder, manifest) {
  const sqlite = await import('node:sqlite').catch(() => null);
  const tags = new Map();
  if (!sqlite) return tags;
  const url = pathToFileURL(resolve(join(folder, manifest.files.songs.name)));
  url.search = '?immutable=1';
  let database;
  try {
    database = new sqlite.DatabaseSync(url, { readOnly: true });
  } catch (error) {
    if (error.code === 'ERR_INVALID_ARG_TYPE') return tags; // too old for an address, and so for "immutable"
    throw error;
  }
  try {
    // A view or trigger could run anything: only the one plain table is accepted.
    const schema = database.prepare('SELECT type, name, sql FROM sqlite_schema').all();
    const [one] = schema;
    if (schema.length !== 1 || one.type !== 'table' || one.name !== 'songs' || /generated|\bas\b|virtual/i.test(one.sql)) {
      throw new Error('songs has another schema');
    }
    for (const row of database.prepare('SELECT song_index, title, artist, album, source, external_ids FROM songs').all()) {
      tags.set(row.song_index, { title: String(row.title), points: points(row) });
    }
  } finally {
    database.close();
  }
  return tags;
}

// How much the tags of a song say.
function points({ title, artist, album, source, external_ids }) {
  const stem = String(source).split(/[\\/]/).at(-1).replace(/(?<=.)\.[^.]*$/, '');
  let ids = {};
  try { ids = JSON.parse(external_ids) ?? {}; } catch { /* no ids, then */ }
  return (title && title !== stem ? 2 : 0) + (artist ? 2 : 0) + (album ? 1 : 0) + (Object.keys(ids).length ? 1 : 0);
}
