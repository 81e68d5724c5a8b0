import { Button, NativeSelect } from '@mantine/core'
import { useState } from 'react'
import { useMergeDevice, useRemoveDevice } from '../api/changes.ts'
import { useDevices } from '../api/queries.ts'
import { useMay } from '../api/role.ts'
import { metricName } from '../format/words.ts'
import { Confirm } from '../shell/confirm.tsx'
import { EditDevice } from './edit-device.tsx'
import type { Listed } from './group.ts'
import { deviceName } from './names.ts'

type Asked = 'edit' | 'merge' | 'delete'

/** What a person may do to a device: each with a dialog that says what will happen. */
export function DeviceActions({ device, metric }: { device: Listed; metric: string }) {
  const [asked, setAsked] = useState<Asked>()
  const mayEdit = useMay('operator')
  const mayRemove = useMay('admin')
  const close = () => setAsked(undefined)
  if (!mayEdit) return null
  return (
    <div className="device-actions">
      <Button size="xs" variant="default" onClick={() => setAsked('edit')}>
        Edit
      </Button>
      {mayRemove && (
        <>
          <Button size="xs" variant="default" onClick={() => setAsked('merge')}>
            Merge…
          </Button>
          <Button size="xs" variant="default" onClick={() => setAsked('delete')}>
            Delete…
          </Button>
        </>
      )}
      <EditDevice device={device} opened={asked === 'edit'} onClose={close} />
      <MergeDevice device={device} opened={asked === 'merge'} onClose={close} />
      <DeleteDevice device={device} metric={metric} opened={asked === 'delete'} onClose={close} />
    </div>
  )
}

interface DialogProps {
  readonly device: Listed
  readonly opened: boolean
  readonly onClose: () => void
}

const undoText =
  'You can undo this for as long as retention.removedDays says (30 days unless you changed it).'

function DeleteDevice({ device, metric, opened, onClose }: DialogProps & { readonly metric: string }) {
  const remove = useRemoveDevice(device)
  const name = deviceName(device)
  const others = device.series.length > 1
  const run = (only?: string) => () => remove.mutate(only, { onSuccess: onClose })
  const isBusy = (only?: string) => remove.isPending && remove.variables === only
  return (
    <Confirm
      opened={opened}
      onClose={onClose}
      title={`Delete ${name}?`}
      keep="Keep it"
      error={remove.error}
      choices={[
        ...(others
          ? [
              {
                text: `Delete ${metricName(metric)} only`,
                run: run(metric),
                busy: isBusy(metric),
                forced: true,
              },
            ]
          : []),
        { text: 'Delete device', run: run(), busy: isBusy(), forced: true },
      ]}
    >
      <p>
        {name} is gone from every page and answer at once, with its readings, derived energy, forecasts,
        models and alerts. {undoText} After that it is erased.
      </p>
      <p>If it sends again, it appears as a new device, without its old history.</p>
    </Confirm>
  )
}

function MergeDevice({ device, opened, onClose }: DialogProps) {
  const merge = useMergeDevice(device)
  const [chosen, setChosen] = useState<string>()
  const others = (useDevices().data ?? []).filter(({ site, id }) => site === device.site && id !== device.id)
  const into = others.find(({ id }) => id === chosen) ?? others[0]
  const name = deviceName(device)
  const run = () => into && merge.mutate(into.id, { onSuccess: onClose })
  return (
    <Confirm
      opened={opened}
      onClose={onClose}
      title={`Merge ${name} into another device?`}
      keep="Keep both"
      error={merge.error}
      choices={into ? [{ text: 'Merge', run, busy: merge.isPending, forced: true }] : []}
    >
      {into ? (
        <>
          <NativeSelect
            label="Into"
            mb="sm"
            value={into.id}
            onChange={(event) => setChosen(event.currentTarget.value)}
            data={others.map((one) => ({ value: one.id, label: deviceName(one) }))}
          />
          <p>
            All readings of {name}, also those to come, are those of {deviceName(into)} then; where both
            measured at the same time, those of {deviceName(into)} count. Energy is derived again from both.
            The models of {name} go with it. {undoText}
          </p>
        </>
      ) : (
        <p>There is no other device on this site.</p>
      )}
    </Confirm>
  )
}
