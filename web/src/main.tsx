import './zod-setup.ts'
import './styles/mantine.ts'
import 'uplot/dist/uPlot.min.css'
import './styles/base.css'
import './styles/shell.css'
import './styles/devices.css'
import './styles/chart.css'
import './styles/tables.css'
import './styles/models.css'
import './styles/incidents.css'
import './styles/topics.css'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { App } from './app.tsx'

const root = document.getElementById('root')
if (!root) throw new Error('index.html has no element with the id "root"')
createRoot(root).render(
  <StrictMode>
    <App />
  </StrictMode>,
)
