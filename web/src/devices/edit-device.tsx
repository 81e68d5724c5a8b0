import { Button, Group, Modal, NativeSelect, TextInput } from '@mantine/core'
import { type FormEvent, useId, useState } from 'react'
import { type DeviceEdit, useEditDevice } from '../api/changes.ts'
import { useDevices } from '../api/queries.ts'
import { idName } from '../format/words.ts'
import { ErrorNote } from '../shell/notes.tsx'
import type { Listed } from './group.ts'
import { deviceName, roleNames } from './names.ts'

interface EditProps {
  readonly device: Listed
  readonly opened: boolean
  readonly onClose: () => void
}

/** Name, room, type, meter role, and whether lists show it. */
export function EditDevice({ device, opened, onClose }: EditProps) {
  return (
    <Modal.Root opened={opened} onClose={onClose} centered size={570}>
      <Modal.Overlay />
      <Modal.Content>
        <Modal.Body p="lg">
          <Modal.Title fw={600} mb="xs">
            Edit {deviceName(device)}
          </Modal.Title>
          <EditForm device={device} onClose={onClose} />
        </Modal.Body>
      </Modal.Content>
    </Modal.Root>
  )
}

function EditForm({ device, onClose }: Omit<EditProps, 'opened'>) {
  const change = useEditDevice(device)
  const [name, setName] = useState(device.name ?? '')
  const [room, setRoom] = useState(device.room ?? '')
  const [type, setType] = useState(device.type)
  const [role, setRole] = useState<string>(device.role ?? '')
  const [shown, setShown] = useState(device.hidden ? 'hidden' : 'shown')
  const submit = (event: FormEvent) => {
    event.preventDefault()
    const edit: DeviceEdit = {
      name: name.trim() || null,
      role: (role || null) as DeviceEdit['role'],
      hidden: shown === 'hidden',
      // what was not touched stays as readings say
      ...(room.trim() === (device.room ?? '') ? {} : { room: room.trim() || null }),
      ...(type.trim() === device.type ? {} : { type: type.trim() || null }),
    }
    change.mutate(edit, { onSuccess: onClose })
  }
  return (
    <form onSubmit={submit}>
      <div className="edit-fields">
        <TextInput
          label="Name"
          placeholder={idName(device.id)}
          description={`Shown instead of the id ${device.id}`}
          inputWrapperOrder={['label', 'input', 'description']}
          maxLength={100}
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
          data-autofocus
        />
        <RoomInput device={device} value={room} onChange={setRoom} />
        <TextInput
          label="Type"
          maxLength={64}
          value={type}
          onChange={(event) => setType(event.currentTarget.value)}
        />
        <NativeSelect
          label="Meter role"
          value={role}
          onChange={(event) => setRole(event.currentTarget.value)}
          data={[
            { value: '', label: 'Not said' },
            ...Object.entries(roleNames).map(([value, label]) => ({ value, label })),
          ]}
        />
        <NativeSelect
          label="In lists"
          value={shown}
          onChange={(event) => setShown(event.currentTarget.value)}
          data={[
            { value: 'shown', label: 'Shown' },
            { value: 'hidden', label: 'Hidden' },
          ]}
        />
      </div>
      {change.error && <ErrorNote error={change.error} />}
      <Group justify="flex-end" mt="lg" gap="sm">
        <Button variant="default" onClick={onClose}>
          Cancel
        </Button>
        <Button type="submit" loading={change.isPending}>
          Save
        </Button>
      </Group>
    </form>
  )
}

interface RoomProps {
  readonly device: Listed
  readonly value: string
  readonly onChange: (room: string) => void
}

/** Free text, with the rooms of the site as proposals. */
function RoomInput({ device, value, onChange }: RoomProps) {
  const list = useId()
  const devices = useDevices().data ?? []
  const rooms = new Set(devices.flatMap(({ site, room }) => (site === device.site && room ? [room] : [])))
  return (
    <>
      <TextInput
        label="Room"
        description={
          device.fixed.includes('room') ? 'Set by hand; empty: as readings say' : 'As readings say'
        }
        inputWrapperOrder={['label', 'input', 'description']}
        maxLength={100}
        list={list}
        value={value}
        onChange={(event) => onChange(event.currentTarget.value)}
      />
      <datalist id={list}>
        {[...rooms].sort().map((room) => (
          <option key={room} value={room} />
        ))}
      </datalist>
    </>
  )
}
