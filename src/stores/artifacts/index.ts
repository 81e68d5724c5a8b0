import { createFileArtifacts } from './file.ts'
import { createMemoryArtifacts } from './memory.ts'
import { createS3Artifacts } from './s3.ts'

/** Every store of artifacts by its name in the configuration. */
export const artifactStores = {
  file: createFileArtifacts,
  s3: createS3Artifacts,
  memory: createMemoryArtifacts,
} as const
