import { Button, CopyButton, VisuallyHidden } from '@mantine/core'
import { useHealth } from '../api/queries.ts'
import { HubPanel } from '../shell/hub-panel.tsx'
import { SectionHead } from '../shell/notes.tsx'
import { PageTitle } from '../shell/page-title.tsx'
import { mqttAddress } from './mqtt-address.ts'

/** Nothing has come in yet: how to send the first reading, with this page's own address. */
export function FirstReading() {
  const { hostname, origin } = window.location
  const { host, port } = mqttAddress(useHealth().data?.sources ?? [], hostname)
  const mqtt = `mosquitto_pub -h ${host} -p ${port} -q 1 \\
  -t HyperVolt/sensors/kitchen/temperature \\
  -m '{"sensor_type":"temperature","sensor_id":"t1","value":21.5}'`
  const http = `curl ${origin}/api/v1/readings \\
  -H 'content-type: application/json' \\
  -d '{"device":"t1","metric":"temperature","value":21.5,"unit":"degC","room":"kitchen"}'`
  const file = 'npx homeostat import readings.csv'
  return (
    <>
      <PageTitle text="No readings yet" />
      <p className="page-sub">
        Send one in any of these ways. It appears here the moment it is stored, and this page becomes the
        home.
      </p>
      <Example title="Over MQTT" text={mqtt} />
      <Example title="Over HTTP" text={http} />
      <Example title="From a file, in the folder that Homeostat was cloned to" text={file} />
      <HubPanel />
    </>
  )
}

function Example({ title, text }: { title: string; text: string }) {
  return (
    <section className="section" aria-label={title}>
      <SectionHead title={title}>
        <CopyButton value={text}>
          {({ copied, copy }) => (
            <Button variant="default" size="compact-sm" onClick={copy} miw={74}>
              {copied ? 'Copied' : 'Copy'}
              <VisuallyHidden> the example: {title}</VisuallyHidden>
            </Button>
          )}
        </CopyButton>
      </SectionHead>
      <pre className="code">{text}</pre>
    </section>
  )
}
