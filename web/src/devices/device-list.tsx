import { Button, TextInput } from '@mantine/core'
import { memo, useDeferredValue, useState } from 'react'
import type { Site } from '../api/types.ts'
import { plural } from '../format/time.ts'
import { idName } from '../format/words.ts'
import { SearchIcon } from '../shell/icons.tsx'
import { SectionHead } from '../shell/notes.tsx'
import { DeviceCard } from './device-card.tsx'
import { firstOf, groupByRoom, type Listed, matching } from './group.ts'

/** Cards drawn at once; more on demand, so that a building of thousands opens as fast as a flat. */
const pageSize = 120

export function DeviceList({ site, devices }: { site: Site; devices: readonly Listed[] }) {
  const [search, setSearch] = useState('')
  const [most, setMost] = useState(pageSize)
  const [showsHidden, setShowsHidden] = useState(false)
  const hidden = devices.filter((device) => device.hidden).length
  const listed = showsHidden ? devices : devices.filter((device) => !device.hidden)
  const found = matching(listed, useDeferredValue(search))
  const groups = firstOf(groupByRoom(found), most)
  return (
    <section className="section" aria-label="Devices">
      <SectionHead title="Devices">
        <TextInput
          type="search"
          aria-label="Search devices"
          placeholder="Room, device or metric"
          leftSection={<SearchIcon />}
          value={search}
          onChange={(event) => setSearch(event.currentTarget.value)}
        />
      </SectionHead>
      {groups.map(({ room, devices: members }) => (
        <section className="room" key={room ?? ''}>
          <h3 className="room-name">{room === undefined ? 'No room given' : idName(room)}</h3>
          <div className="devices">
            {members.map((device) => (
              <MemoCard key={device.id} site={site} device={device} />
            ))}
          </div>
        </section>
      ))}
      {found.length === 0 && (
        <p className="muted">{search ? `No device fits "${search}".` : 'No device has spoken yet.'}</p>
      )}
      {hidden > 0 && (
        <p className="small">
          <button className="plain-link as-link" type="button" onClick={() => setShowsHidden(!showsHidden)}>
            {showsHidden ? 'Leave out' : 'Show'} {plural(hidden, 'hidden device')}
          </button>
        </p>
      )}
      {found.length > most && (
        <Button variant="default" mt="lg" onClick={() => setMost(most + pageSize)}>
          Show {Math.min(pageSize, found.length - most)} more of {plural(found.length, 'device')}
        </Button>
      )}
    </section>
  )
}

/** The list is computed anew with every change of a value; a card only when its device changes shape. */
const MemoCard = memo(
  DeviceCard,
  (a, b) =>
    a.site.zone === b.site.zone &&
    a.device.type === b.device.type &&
    a.device.room === b.device.room &&
    a.device.name === b.device.name &&
    a.device.series.length === b.device.series.length &&
    a.device.series.every(({ metric }, index) => metric === b.device.series[index]?.metric),
)
